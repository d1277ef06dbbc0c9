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
    static let endpointID = identifier(
        "vpce-",
        "a VPC endpoint ID such as vpce-0aa11bb22cc33dd44",
        longest: EndpointID.capacity
    )
    static let subnetID = identifier("subnet-", "a subnet ID such as subnet-0a1")

    /// A prefix, then letters, digits and hyphens.
    static func identifier(
        _ prefix: String,
        _ expected: String,
        longest: Int = 64
    ) -> ValueForm {
        ValueForm(expected) { (text) throws(ValueFault) in
            let rest = text.dropFirst(prefix.count)
            guard text.hasPrefix(prefix), !rest.isEmpty, text.utf8.count <= longest,
                rest.utf8.allSatisfy({ AZForm.isLabelOctet($0) })
            else { throw ValueFault("`\(text.shown)` is not a valid ID here; write \(expected)") }
            return text
        }
    }

    /// The ID of an availability zone.
    static let azID = ValueForm("an AZ ID such as use1-az4") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if AZForm.isID(text) { return text }
        let reason =
            AZForm.isName(text) ? "is an AZ name, which differs by account" : "is not an AZ ID"
        throw ValueFault("`\(text.shown)` \(reason); write the AZ ID, as in use1-az4")
    }

    /// The name that an account has for an availability zone.
    static let azName = ValueForm("an AZ name such as us-east-1a") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if AZForm.isName(text) { return text }
        let reason = AZForm.isID(text) ? "is an AZ ID" : "is not an AZ name"
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
/// Local Zones have both forms longer: `usw2-lax1-az1` is the ID of `us-west-2-lax-1a`; and Wavelength
/// Zones have their own: `use1-wl1-bos-wlz1` is the ID of `us-east-1-wl1-bos-wlz-1`.
enum AZForm {
    /// Words with hyphens between, the last `az` and a number, or `wlz` and a number.
    static func isID(_ text: some StringProtocol) -> Bool {
        guard let parts = words(of: text), let last = parts.last else { return false }
        return ["az", "wlz"].contains { kind in
            last.starts(with: kind.utf8) && last.count > kind.utf8.count
                && last.dropFirst(kind.utf8.count).allSatisfy { (48...57).contains($0) }
        }
    }

    /// Words with hyphens between, the last a number and a letter, or a Wavelength Zone's number.
    static func isName(_ text: some StringProtocol) -> Bool {
        guard let parts = words(of: text), !isID(text), let last = parts.last, let end = last.last,
            let first = last.first, (48...57).contains(first)
        else { return false }
        return end.isLetter || parts.dropLast().last?.elementsEqual("wlz".utf8) == true
    }

    private static func words(of text: some StringProtocol) -> [ArraySlice<UInt8>]? {
        let parts = Array(text.utf8).split(separator: 0x2D, omittingEmptySubsequences: false)
        let isSound =
            parts.count >= 2 && text.utf8.count <= 40
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isLetterOrDigit) }
        return isSound ? parts : nil
    }

    /// Small letters, digits and the hyphen.
    static func isLabelOctet(_ octet: UInt8) -> Bool { isLetterOrDigit(octet) || octet == 0x2D }

    private static func isLetterOrDigit(_ octet: UInt8) -> Bool {
        octet.digit != nil || octet &- 97 < 26
    }
}
