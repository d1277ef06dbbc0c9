import CLdns
import DNSWire

/// One rdata field, made by libldns from text; owns the C object.
@safe struct LdnsField: ~Copyable {
    private let field: UnsafeMutablePointer<ldns_rdf>

    /// Reads `text`, which contains no NUL octet, as a field of `kind`.
    init(_ kind: ldns_rdf_type, text: some Sequence<UInt8>) throws(LdnsFault) {
        var terminated = text.map { CChar(bitPattern: $0) }
        terminated.append(0)
        var field: UnsafeMutablePointer<ldns_rdf>?
        // Sound: the text is NUL-terminated and outlives the call. It is a private copy, since
        // libldns's NSAP reader writes to it. `field` is nil or owned by this value.
        let status = unsafe terminated.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { text in
                unsafe Self.read(kind, UnsafePointer(text), into: &field)
            } ?? LDNS_STATUS_INTERNAL_ERR
        }
        guard status == LDNS_STATUS_OK, let made = unsafe field else {
            // Some readers of libldns fail after they have made a field.
            unsafe ldns_rdf_deep_free(field)
            throw LdnsFault(status)
        }
        unsafe self.field = unsafe made
    }

    /// Makes the type bitmap of NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2); nil if libldns is out of
    /// memory.
    init?(bitmapOf types: [RecordType]) {
        var list = types.map { ldns_rr_type(UInt32($0.rawValue)) }
        // Sound: libldns reads `count` types of the list and does not keep the pointer.
        let made = unsafe list.withUnsafeMutableBufferPointer { buffer in
            unsafe ldns_dnssec_create_nsec_bitmap(
                buffer.baseAddress,
                buffer.count,
                LDNS_RR_TYPE_NSEC
            )
        }
        guard let made = unsafe made else { return nil }
        unsafe self.field = unsafe made
    }

    deinit {
        // Sound: only this value owns `field` and its data.
        unsafe ldns_rdf_deep_free(field)
    }

    /// The field in wire format.
    var octets: [UInt8] {
        let size = unsafe ldns_rdf_size(field)
        // Sound: a libldns field has `size` octets of data; the pointer can be nil only if `size`
        // is 0.
        guard size > 0, let data = unsafe ldns_rdf_data(field) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: data, count: size))
    }

    /// Calls libldns's reader for a kind of field; only the kinds that `RdataReader` uses are
    /// listed.
    private static func read(
        _ kind: ldns_rdf_type,
        _ text: UnsafePointer<CChar>,
        into field: inout UnsafeMutablePointer<ldns_rdf>?
    ) -> ldns_status {
        // Sound for all: `text` is NUL-terminated, and `field` receives the result.
        switch kind {
        case LDNS_RDF_TYPE_INT8: unsafe ldns_str2rdf_int8(&field, text)
        case LDNS_RDF_TYPE_INT16: unsafe ldns_str2rdf_int16(&field, text)
        case LDNS_RDF_TYPE_INT32: unsafe ldns_str2rdf_int32(&field, text)
        case LDNS_RDF_TYPE_PERIOD: unsafe ldns_str2rdf_period(&field, text)
        case LDNS_RDF_TYPE_TIME: unsafe ldns_str2rdf_time(&field, text)
        case LDNS_RDF_TYPE_A: unsafe ldns_str2rdf_a(&field, text)
        case LDNS_RDF_TYPE_AAAA: unsafe ldns_str2rdf_aaaa(&field, text)
        case LDNS_RDF_TYPE_STR: unsafe ldns_str2rdf_str(&field, text)
        case LDNS_RDF_TYPE_LONG_STR: unsafe ldns_str2rdf_long_str(&field, text)
        case LDNS_RDF_TYPE_TAG: unsafe ldns_str2rdf_tag(&field, text)
        case LDNS_RDF_TYPE_APL: unsafe ldns_str2rdf_apl(&field, text)
        case LDNS_RDF_TYPE_B32_EXT: unsafe ldns_str2rdf_b32_ext(&field, text)
        case LDNS_RDF_TYPE_B64: unsafe ldns_str2rdf_b64(&field, text)
        case LDNS_RDF_TYPE_HEX: unsafe ldns_str2rdf_hex(&field, text)
        case LDNS_RDF_TYPE_TYPE: unsafe ldns_str2rdf_type(&field, text)
        case LDNS_RDF_TYPE_CERT_ALG: unsafe ldns_str2rdf_cert_alg(&field, text)
        case LDNS_RDF_TYPE_ALG: unsafe ldns_str2rdf_alg(&field, text)
        case LDNS_RDF_TYPE_CERTIFICATE_USAGE: unsafe ldns_str2rdf_certificate_usage(&field, text)
        case LDNS_RDF_TYPE_SELECTOR: unsafe ldns_str2rdf_selector(&field, text)
        case LDNS_RDF_TYPE_MATCHING_TYPE: unsafe ldns_str2rdf_matching_type(&field, text)
        case LDNS_RDF_TYPE_LOC: unsafe ldns_str2rdf_loc(&field, text)
        case LDNS_RDF_TYPE_NSAP: unsafe ldns_str2rdf_nsap(&field, text)
        case LDNS_RDF_TYPE_ATMA: unsafe ldns_str2rdf_atma(&field, text)
        case LDNS_RDF_TYPE_NSEC3_SALT: unsafe ldns_str2rdf_nsec3_salt(&field, text)
        case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER: unsafe ldns_str2rdf_b32_ext(&field, text)
        case LDNS_RDF_TYPE_ILNP64: unsafe ldns_str2rdf_ilnp64(&field, text)
        case LDNS_RDF_TYPE_EUI48: unsafe ldns_str2rdf_eui48(&field, text)
        case LDNS_RDF_TYPE_EUI64: unsafe ldns_str2rdf_eui64(&field, text)
        case LDNS_RDF_TYPE_SVCPARAMS: unsafe ldns_str2rdf_svcparams(&field, text)
        default: LDNS_STATUS_NOT_IMPL
        }
    }
}

/// An error message of libldns about a text.
struct LdnsFault: Error {
    var message: String

    init(_ status: ldns_status) {
        // Sound: the message table is static and its strings are NUL-terminated.
        if let text = unsafe ldns_get_errorstr_by_id(status) {
            self.message = unsafe String(cString: text)
        } else {
            self.message = "unknown error \(status.rawValue)"
        }
    }
}

/// What libldns knows about the rdata of a type: the number and kinds of fields.
struct RdataShape {
    let minimum: Int
    /// The kinds of the mandatory and optional fields.
    let fields: [ldns_rdf_type]
    /// The kind of the fields that may follow in any number.
    let repeated: ldns_rdf_type?

    /// Looks up the shape of a type; nil if libldns has no text form, so that only RFC 3597 text is
    /// possible.
    init?(_ type: RecordType) {
        let described = Self.likeness(of: type)
        // Sound: libldns returns an entry of its static table for every number; entry 0 stands for
        // unknown types.
        guard let descriptor = unsafe ldns_rr_descript(described.rawValue),
            unsafe descriptor.pointee._type.rawValue == UInt32(described.rawValue)
        else { return nil }
        let kinds = unsafe (0..<Int(descriptor.pointee._maximum)).map { index in
            unsafe ldns_rr_descriptor_field_type(descriptor, index)
        }
        // The text form of SINK and NXT lacks fields that the wire format has.
        guard !kinds.contains(LDNS_RDF_TYPE_UNKNOWN), type.rawValue != 40 else { return nil }
        let variable = unsafe descriptor.pointee._variable
        self.minimum = unsafe Int(descriptor.pointee._minimum)
        self.fields = kinds
        self.repeated = variable == LDNS_RDF_TYPE_NONE ? nil : variable
    }

    /// Returns the type known to libldns that has the same rdata; for most types, the type itself.
    ///
    /// NINFO, AVC, RESINFO and WALLET have the rdata of TXT, RKEY of KEY, and TA of DS. libldns may
    /// be built without these types, or be older than they are.
    static func likeness(of type: RecordType) -> RecordType {
        switch type.rawValue {
        case 56, 258, 261, 262: .txt
        case 57: RecordType(rawValue: 25)
        case 32768: .ds
        default: type
        }
    }

    func kind(of field: Int) -> ldns_rdf_type? {
        field < fields.count ? fields[field] : repeated
    }
}
