import DNSWire

extension ValueForm<String> {
    /// An AWS account ID, its leading zeros kept.
    static let accountID = ValueForm("an account ID of 12 digits") { (text) throws(ValueFault) in
        guard text.utf8.count == 12, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw ValueFault(
                "`\(text.shown)` is not an account ID; write its 12 digits in quotes, as in \"111122223333\""
            )
        }
        return text
    }

    static let vpcID = identifier("vpc-", "a VPC ID such as vpc-0a11111111111111a")
    static let endpointID = identifier("vpce-", "a VPC endpoint ID such as vpce-0aa11bb22cc33dd44")
    static let subnetID = identifier("subnet-", "a subnet ID such as subnet-0a1")

    /// A prefix, then letters, digits and hyphens.
    private static func identifier(_ prefix: String, _ expected: String) -> ValueForm {
        ValueForm(expected) { (text) throws(ValueFault) in
            let rest = text.dropFirst(prefix.count)
            guard text.hasPrefix(prefix), !rest.isEmpty, rest.utf8.count <= 64,
                rest.utf8.allSatisfy({ ZoneNames.isLabelOctet($0) })
            else { throw ValueFault("`\(text.shown)` is not a valid ID here; write \(expected)") }
            return text
        }
    }

    /// The ID of an availability zone.
    static let zoneID = ValueForm("an AZ ID such as use1-az4") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if ZoneNames.isID(text) { return text }
        let reason =
            ZoneNames.isName(text) ? "is an AZ name, which differs by account" : "is not an AZ ID"
        throw ValueFault("`\(text.shown)` \(reason); write the AZ ID, as in use1-az4")
    }

    /// The name that an account has for an availability zone.
    static let zoneName = ValueForm("an AZ name such as us-east-1a") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if ZoneNames.isName(text) { return text }
        let reason = ZoneNames.isID(text) ? "is an AZ ID" : "is not an AZ name"
        throw ValueFault("`\(text.shown)` \(reason); write the AZ name, as in us-east-1a")
    }

    /// A path, relative to the file that names it.
    static let path = ValueForm("a path") { (text) throws(ValueFault) in
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw ValueFault("the path is empty; write the path of a file")
        }
        return text
    }
}

extension ValueForm<DomainName> {
    static let domainName = ValueForm("a domain name") { (text) throws(ValueFault) in
        guard let name = DomainName(text), text != "@" else {
            throw ValueFault("`\(text.shown)` is not a domain name; write one as in corp.example")
        }
        return name
    }
}

/// How the names and IDs of availability zones look.
///
/// Local Zones have both forms longer: `usw2-lax1-az1` is the ID of `us-west-2-lax-1a`.
enum ZoneNames {
    /// `[a-z0-9]+(-[a-z0-9]+)*-az[0-9]+`.
    static func isID(_ text: some StringProtocol) -> Bool {
        let parts = Array(text.utf8).split(separator: 0x2D, omittingEmptySubsequences: false)
        guard parts.count >= 2, text.utf8.count <= 40, let last = parts.last,
            parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isLetterOrDigit) })
        else { return false }
        return last.starts(with: "az".utf8) && last.count > 2
            && last.dropFirst(2).allSatisfy { (48...57).contains($0) }
    }

    /// Words with hyphens between, the last a number and a letter.
    static func isName(_ text: some StringProtocol) -> Bool {
        let parts = Array(text.utf8).split(separator: 0x2D, omittingEmptySubsequences: false)
        guard parts.count >= 2, text.utf8.count <= 40, let last = parts.last,
            parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isLetterOrDigit) }),
            let end = last.last, let first = last.first
        else { return false }
        return !isID(text) && end.isLetter && (48...57).contains(first)
    }

    /// Small letters, digits and the hyphen.
    static func isLabelOctet(_ octet: UInt8) -> Bool { isLetterOrDigit(octet) || octet == 0x2D }

    private static func isLetterOrDigit(_ octet: UInt8) -> Bool {
        octet.digit != nil || octet &- 97 < 26
    }
}
