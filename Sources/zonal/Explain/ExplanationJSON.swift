import DNSWire
import Snapshot

extension Explanation {
    /// The explanation as one JSON object on one line.
    var json: String {
        JSONText.object([
            ("client", clientJSON),
            (
                "question",
                JSONText.object([
                    ("name", JSONText.string("\(name)")), ("type", JSONText.string("\(type)")),
                ])
            ),
            ("route", routeJSON),
            ("rcode", rcode.map { JSONText.string("\($0)") } ?? "null"),
            ("answers", JSONText.list(answers.map(Self.json))),
            ("steps", JSONText.list(steps.map(JSONText.string))),
        ])
    }

    private var clientJSON: String {
        let optional: [(String, String?)] = [
            ("listener", client.listener.map { "\($0)" }), ("vpc", client.vpc),
            ("account", client.account), ("subnet", client.subnet),
            ("az-id", client.azID), ("az-name", client.azName),
        ]
        let known = optional.compactMap { key, value in value.map { (key, JSONText.string($0)) } }
        return JSONText.object(
            [
                ("address", JSONText.string("\(client.address)")),
                ("scope", JSONText.string(client.scope.rawValue)),
            ] + known
        )
    }

    private var routeJSON: String {
        var fields = [("kind", JSONText.string(route.kind))]
        if let zone = route.zone { fields.append(("zone", JSONText.string("\(zone)"))) }
        if let file = route.file { fields.append(("file", JSONText.string(file))) }
        if let line = route.line { fields.append(("line", String(line))) }
        if route.kind == "forward" {
            let servers = route.upstreams.map { JSONText.string($0.shortDescription) }
            fields.append(("to", JSONText.list(servers)))
        }
        return JSONText.object(fields)
    }

    private static func json(_ record: Record) -> String {
        var fields = [
            ("name", JSONText.string("\(record.name)")),
            ("type", JSONText.string("\(record.type)")), ("ttl", String(record.ttl)),
            ("data", JSONText.string(record.data)),
        ]
        if let azID = record.azID { fields.append(("az-id", JSONText.string(azID))) }
        if let isUp = record.isUp { fields.append(("up", String(isUp))) }
        fields.append(("chosen", String(record.isChosen)))
        fields.append(("reason", JSONText.string(record.reason)))
        if let file = record.file { fields.append(("file", JSONText.string(file))) }
        if let line = record.line { fields.append(("line", String(line))) }
        return JSONText.object(fields)
    }
}
