#include <ldns/ldns.h>

/* Returns the text of a record, allocated with malloc, or NULL. libldns declares its output formats
 * as variables although they are constant, and Swift does not allow reading C variables from several
 * threads. */
static inline char *_Nullable zonal_record_text(const ldns_rr *_Nonnull record, int comments) {
    return ldns_rr2str_fmt(
        comments ? ldns_output_format_default : ldns_output_format_nocomments, record);
}
