import CLdns
import DNSWire

/// One field of rdata, read from text and owned by libldns.
@safe struct LdnsField: ~Copyable {
    private let field: UnsafeMutablePointer<ldns_rdf>

    /// Has libldns read `text`, which holds no NUL octet, as a field of `kind`.
    init(_ kind: ldns_rdf_type, text: some Sequence<UInt8>) throws(LdnsFault) {
        var terminated = text.map { CChar(bitPattern: $0) }
        terminated.append(0)
        var field: UnsafeMutablePointer<ldns_rdf>?
        // Sound: the text ends in NUL and outlives the call; it is our own copy, which the reader of
        // NSAP writes to. `field` is nil or a field that we now own.
        let status = unsafe terminated.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { text in
                unsafe Self.read(kind, UnsafePointer(text), into: &field)
            } ?? LDNS_STATUS_INTERNAL_ERR
        }
        guard status == LDNS_STATUS_OK, let made = unsafe field else {
            // Some readers fail after they made a field.
            unsafe ldns_rdf_deep_free(field)
            throw LdnsFault(status)
        }
        unsafe self.field = unsafe made
    }

    /// The type bitmap of NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2); nil if libldns has no memory.
    init?(bitmapOf types: [RecordType]) {
        var list = types.map { ldns_rr_type(UInt32($0.rawValue)) }
        // Sound: libldns reads `count` types of the list, and keeps none.
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
        // Sound: `field` is owned by this value alone, its data included.
        unsafe ldns_rdf_deep_free(field)
    }

    /// The field in wire form.
    var octets: [UInt8] {
        let size = unsafe ldns_rdf_size(field)
        // Sound: a field of libldns holds `size` octets at its data, which may be nil only for none.
        guard size > 0, let data = unsafe ldns_rdf_data(field) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: data, count: size))
    }

    /// The reader of libldns for a kind of field; only kinds that `RdataReader` hands over are here.
    private static func read(
        _ kind: ldns_rdf_type,
        _ text: UnsafePointer<CChar>,
        into field: inout UnsafeMutablePointer<ldns_rdf>?
    ) -> ldns_status {
        // Sound for all: `text` ends in NUL, and `field` is where the result goes.
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

/// What libldns says is wrong with a text.
struct LdnsFault: Error {
    var message: String

    init(_ status: ldns_status) {
        // Sound: the table of messages is static and its texts end in NUL.
        if let text = unsafe ldns_get_errorstr_by_id(status) {
            self.message = unsafe String(cString: text)
        } else {
            self.message = "unknown error \(status.rawValue)"
        }
    }
}

/// What libldns knows of the rdata of a type: how many fields, and of what kind.
struct RdataShape {
    let minimum: Int
    /// Kinds of the fields that every record may have.
    let fields: [ldns_rdf_type]
    /// Kind of any number of further fields.
    let repeated: ldns_rdf_type?

    /// The shape of a type's text form; nil where libldns has none, so that only RFC 3597 text is left.
    init?(_ type: RecordType) {
        let described = Self.likeness(of: type)
        // Sound: libldns answers every number with an entry of its static table; entry 0, of another
        // type, stands for those it does not know.
        guard let descriptor = unsafe ldns_rr_descript(described.rawValue),
            unsafe descriptor.pointee._type.rawValue == UInt32(described.rawValue)
        else { return nil }
        let kinds = unsafe (0..<Int(descriptor.pointee._maximum)).map { index in
            unsafe ldns_rr_descriptor_field_type(descriptor, index)
        }
        // SINK and NXT have fields that only their wire form shows.
        guard !kinds.contains(LDNS_RDF_TYPE_UNKNOWN), type.rawValue != 40 else { return nil }
        let variable = unsafe descriptor.pointee._variable
        self.minimum = unsafe Int(descriptor.pointee._minimum)
        self.fields = kinds
        self.repeated = variable == LDNS_RDF_TYPE_NONE ? nil : variable
    }

    /// The type that libldns knows and that has the same rdata; the type itself for most.
    ///
    /// NINFO, AVC, RESINFO and WALLET are TXT by another number, RKEY is KEY and TA is DS; libldns is
    /// built without them, or older than they are.
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
