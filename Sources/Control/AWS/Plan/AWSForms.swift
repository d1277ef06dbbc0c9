/// The forms of texts from AWS exports that are written to files.
extension ValueForm<String> {
    static let serviceName = word("a service name such as com.amazonaws.us-east-1.ssm")
    static let region = word("a Region such as us-east-1")
    static let verificationState = word("a state such as verified")
    static let recordLabel = word("a label such as _6e86v84tqgqubxbwii1m")
    static let prefixListID = identifier("pl-", "a prefix list's ID such as pl-63a5400a")
    static let routeTableID = identifier("rtb-", "a route table's ID such as rtb-0a1")

    /// A private DNS name of an endpoint service.
    static let privateName = ValueForm("a domain name") { (text) throws(ValueFault) in
        let name = text.lowercased()
        guard EndpointEntries.isName(name) else {
            throw ValueFault("`\(text.shown)` is not a valid domain name; export it again")
        }
        return name
    }

    /// The value of a verification TXT record, as AWS makes it: `vpce:l6p0ERxlTt45jevFwOCp`.
    static let recordValue = ValueForm("a value such as vpce:l6p0ERxlTt45jevFwOCp") {
        (text) throws(ValueFault) in
        let isSound = text.utf8.allSatisfy {
            $0.isLetter || $0.digit != nil || ":-_=+/.".utf8.contains($0)
        }
        guard isSound, (1...255).contains(text.utf8.count) else {
            throw ValueFault("`\(text.shown)` is not a verification value; export it again")
        }
        return text
    }

    /// A word of letters, digits, dots, hyphens and underscores.
    private static func word(_ expected: String) -> ValueForm {
        ValueForm(expected) { (text) throws(ValueFault) in
            guard EndpointEntries.isWord(text) else {
                throw ValueFault("`\(text.shown)` is not \(expected); export it again")
            }
            return text
        }
    }
}
