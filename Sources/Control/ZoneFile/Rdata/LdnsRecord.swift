import CLdns
import DNSWire
import Synchronization

/// One record, read from wire form and owned by libldns.
@safe struct LdnsRecord: ~Copyable {
    private let record: UnsafeMutablePointer<ldns_rr>

    /// Reads a record in uncompressed wire form; nil if libldns cannot, or leaves octets over.
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
        // Sound: libldns reads at most `count` octets; `record` is set only on success, and is then ours.
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
        // Sound: `record` is owned by this value alone.
        unsafe ldns_rr_free(record)
    }

    /// The record as libldns prints it, without its line end; nil if it cannot.
    ///
    /// `withComments` adds what `ldns-read-zone` adds: the tag and size of a DNSKEY.
    func text(withComments: Bool) -> String? {
        // libldns asks the C library for the names of WKS services, which is not safe on two threads.
        Self.printing.withLock { _ in
            // Sound: the result is nil or a text ending in NUL, made with malloc and ours to free.
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
