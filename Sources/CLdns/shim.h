#include <ldns/ldns.h>

/* The text of a record, made with malloc, or NULL. The formats of libldns are constants that it
 * declares as variables, which Swift refuses to read from two threads. */
static inline char *_Nullable zonal_record_text(const ldns_rr *_Nonnull record, int comments) {
    return ldns_rr2str_fmt(
        comments ? ldns_output_format_default : ldns_output_format_nocomments, record);
}
