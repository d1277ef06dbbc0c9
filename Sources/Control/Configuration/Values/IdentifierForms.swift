import DNSWire

extension ValueForm<String> {
    /// An AWS account ID; leading zeros are kept.
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
                rest.utf8.allSatisfy({ $0.isSmallLetterOrDigit || $0 == UInt8(ascii: "-") })
            else { throw ValueFault("`\(text.shown)` is not a valid ID; write \(expected)") }
            return text
        }
    }

    /// The ID of an availability zone.
    static let azID = ValueForm("an AZ ID such as use1-az4") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if AZForm.isID(text) { return text }
        let reason =
            AZForm.isName(text) ? "is an AZ name, which differs by account" : "is not an AZ ID"
        throw ValueFault("`\(text.shown)` \(reason); write an AZ ID, as in use1-az4")
    }

    /// An account's name for an availability zone.
    static let azName = ValueForm("an AZ name such as us-east-1a") { (text) throws(ValueFault) in
        let text = text.lowercased()
        if AZForm.isName(text) { return text }
        let reason = AZForm.isID(text) ? "is an AZ ID" : "is not an AZ name"
        throw ValueFault("`\(text.shown)` \(reason); write an AZ name, as in us-east-1a")
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
            throw ValueFault(
                "`\(text.shown)` is not a domain name; write, for example, corp.example"
            )
        }
        return name
    }
}

extension UInt8 {
    var isSmallLetterOrDigit: Bool { digit != nil || self &- 97 < 26 }
}
