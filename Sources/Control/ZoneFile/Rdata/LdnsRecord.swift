import CLdns
import DNSWire
import Synchronization

/// One record, made by libldns from wire format; owns the C object.
@safe struct LdnsRecord: ~Copyable {
    private let record: UnsafeMutablePointer<ldns_rr>

    /// Reads a record in uncompressed wire format; nil if libldns fails or does not read all
    /// octets.
    init?(
        owner: some Collection<UInt8>,
        type: RecordType,
        ttl: UInt32,
        rdata: some Collection<UInt8>
    ) {
        guard let length = UInt16(exactly: rdata.count) else { return nil }
        var wire = Array(owner)
        for field in [type.rawValue, 1, UInt16(ttl >> 16), UInt16(truncatingIfNeeded: ttl), length]
        {
            wire.append(UInt8(field >> 8))
            wire.append(UInt8(truncatingIfNeeded: field))
        }
        wire += rdata
        var record: UnsafeMutablePointer<ldns_rr>?
        var position = 0
        // Sound: libldns reads at most `count` octets; it sets `record` only on success, and this
        // value then owns it.
        let status = unsafe wire.withUnsafeBufferPointer { buffer in
            unsafe ldns_wire2rr(
                &record,
                buffer.baseAddress,
                buffer.count,
                &position,
                LDNS_SECTION_ANSWER
            )
        }
        guard status == LDNS_STATUS_OK, let made = unsafe record else { return nil }
        guard position == wire.count else {
            unsafe ldns_rr_free(made)
            return nil
        }
        unsafe self.record = unsafe made
    }

    deinit {
        // Sound: only this value owns `record`.
        unsafe ldns_rr_free(record)
    }

    /// Returns the record as libldns prints it, without the line end; nil if libldns fails.
    ///
    /// `withComments` adds the comments of `ldns-read-zone`: the tag and size of a DNSKEY.
    func text(withComments: Bool) -> String? {
        // libldns calls getservbyport for WKS, which is not thread-safe.
        Self.printing.withLock { _ in
            // Sound: the result is nil or a NUL-terminated string from malloc, which this function
            // frees.
            guard let text = unsafe zonal_record_text(record, withComments ? 1 : 0) else {
                return nil
            }
            defer { unsafe free(text) }
            let line = unsafe String(cString: text)
            return line.last == "\n" ? String(line.dropLast()) : line
        }
    }

    private static let printing = Mutex(())
}
