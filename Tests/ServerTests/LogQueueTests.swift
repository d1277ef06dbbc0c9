import Foundation
import Glibc
import Server
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The log's queue` {
    /// A pipe that is full.
    private final class FullPipe {
        let pipe = Pipe()
        private(set) var filling = 0

        init() {
            let descriptor = pipe.fileHandleForWriting.fileDescriptor
            let flags = fcntl(descriptor, F_GETFL)
            _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
            let block = [UInt8](repeating: 0x78, count: 4096)
            for size in [4096, 1] {
                while true {
                    // Sound: the pointer covers `size` octets of `block`.
                    let count = unsafe block.withUnsafeBytes {
                        unsafe write(descriptor, $0.baseAddress, size)
                    }
                    guard count > 0 else { break }
                    filling += count
                }
            }
            _ = fcntl(descriptor, F_SETFL, flags)
        }

        /// Reads until `isEnough` accepts everything after the filling, which is read once.
        func read(until isEnough: (String) -> Bool) -> String {
            var all = Data()
            while all.count <= filling || !isEnough(text(all)) {
                let data = pipe.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                all += data
            }
            defer { filling = 0 }
            return text(all)
        }

        private func text(_ data: Data) -> String {
            String(decoding: data.dropFirst(filling), as: UTF8.self)
        }
    }

    @Test func `takes lines, drops and counts while nobody reads, and says so later`() {
        let full = FullPipe()
        let queue = LogQueue(to: full.pipe.fileHandleForWriting.fileDescriptor, capacity: 1000) {
            $0
        }
        for number in 0..<100 { queue.write("line \(number) of some forty octets, more or less") }
        let dropped = queue.droppedCount
        #expect((70...90).contains(dropped))
        let text = full.read { $0.contains("were dropped") }
        #expect(text.hasPrefix("line 0 of"))
        #expect(text.contains("\(dropped) lines of the log were dropped"))
        queue.write("afterwards")
        #expect(full.read { $0.contains("afterwards") }.contains("afterwards"))
    }

    @Test func `writes every line as it is made harmless, its own included`() {
        let full = FullPipe()
        let descriptor = full.pipe.fileHandleForWriting.fileDescriptor
        let queue = LogQueue(to: descriptor, capacity: 100) { "<\($0)>" }
        for _ in 0..<10 { queue.write(String(repeating: "x", count: 30)) }
        let lines = full.read { $0.contains("were dropped") }.split(separator: "\n")
        #expect(lines.count >= 2)
        #expect(lines.allSatisfy { $0.hasPrefix("<") && $0.hasSuffix(">") })
    }

    @Test func `is given up after a while at the end if nobody reads`() {
        let full = FullPipe()
        let queue = LogQueue(to: full.pipe.fileHandleForWriting.fileDescriptor) { $0 }
        queue.write("a line")
        let clock = ContinuousClock()
        #expect(clock.measure { queue.flush(within: 200) } >= .milliseconds(150))
        _ = full.read { $0.contains("a line") }
        queue.flush(within: 60_000)
        #expect(queue.droppedCount == 0)
    }

    @Test func `writes all lines in order before the end`() {
        let pipe = Pipe()
        let queue = LogQueue(to: pipe.fileHandleForWriting.fileDescriptor) { $0 }
        for number in 0..<1000 { queue.write("\(number)") }
        queue.flush(within: 60_000)
        let text = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text == (0..<1000).map { "\($0)\n" }.joined())
    }
}
