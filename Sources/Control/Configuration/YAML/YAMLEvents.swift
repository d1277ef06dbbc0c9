// CYaml is part of the Yams package. The events are used directly, because Yams's nodes take half a
// kilobyte per value and expand aliases before they can be counted.
import CYaml

/// The events of a YAML text, as libyaml parses them.
@safe
struct YAMLEvents: ~Copyable {
    // Sound: the parser has a stable address and reads a copy of the text; both are freed in
    // `deinit`.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// The content of one event.
    enum Event {
        case documentStart
        case documentEnd
        case streamEnd
        case alias(String)
        case scalar(String, isPlain: Bool, anchor: String?)
        case listStart(anchor: String?)
        case listEnd
        case mappingStart(anchor: String?)
        case mappingEnd
    }

    /// Line and column, both from 1.
    struct Mark {
        var line = 1
        var column = 1
    }

    init(_ octets: [UInt8]) {
        // Sound: both are initialised here, and libyaml gets the exact number of octets.
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe text = .allocate(capacity: octets.count)
        _ = unsafe text.initialize(from: octets)
        _ = unsafe yaml_parser_initialize(parser)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        // Sound: nothing uses the parser or the text any more.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// Returns the next event and its start.
    mutating func next() throws(YAMLFault) -> (event: Event, mark: Mark) {
        while true {
            var raw = unsafe yaml_event_t()
            // Sound: libyaml fills the event; it is freed below, after its texts have been copied.
            guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw fault }
            defer { unsafe yaml_event_delete(&raw) }
            let mark = unsafe Self.mark(raw.start_mark)
            if let event = unsafe Self.event(of: raw) { return (event, mark) }
        }
    }

    /// Converts an event; returns nil for the start of the stream.
    @unsafe
    private static func event(of raw: yaml_event_t) -> Event? {
        switch unsafe raw.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(unsafe text(raw.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe raw.data.scalar
            let octets = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                unsafe String(decoding: octets, as: UTF8.self),
                isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE,
                anchor: unsafe text(scalar.anchor)
            )
        case YAML_SEQUENCE_START_EVENT:
            return .listStart(anchor: unsafe text(raw.data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT:
            return .mappingStart(anchor: unsafe text(raw.data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_STREAM_START_EVENT: return nil
        default: return .streamEnd
        }
    }

    @unsafe
    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    private static func mark(_ mark: yaml_mark_t) -> Mark {
        Mark(line: mark.line + 1, column: mark.column + 1)
    }

    /// The parser's error.
    private var fault: YAMLFault {
        // Sound: the texts are string literals of libyaml.
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            return YAMLFault(
                octet: unsafe parser.pointee.problem_offset,
                "\(problem ?? "an unreadable character"); remove the character"
            )
        }
        let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
        return YAMLFault(
            at: Self.mark(unsafe parser.pointee.problem_mark),
            problem: problem ?? "too large",
            during: context.map { ($0, unsafe parser.pointee.context_mark.line + 1) }
        )
    }
}
