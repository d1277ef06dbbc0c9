import FuzzTargets
import Glibc

/// The program that `make fuzz` runs: `Fuzzer TARGET CORPUS [OPTION]…`, with libFuzzer's options.
///
/// libFuzzer has the main function and calls the two functions below.
enum Fuzzer {
    static let target = CommandLine.arguments.dropFirst().first
        .flatMap(FuzzTarget.init(rawValue:))

    /// Writes the target's seeds to the folder CORPUS, to which libFuzzer adds new inputs.
    static func writeSeeds() throws {
        guard let target, CommandLine.arguments.count >= 3 else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
            print("usage: Fuzzer \(names) CORPUS [OPTION]…")
            exit(2)
        }
        for seed in try target.seeds() { try seed.write(to: CommandLine.arguments[2]) }
    }
}

/// Called once before the arguments are read; removes the target's name from them.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    do {
        try Fuzzer.writeSeeds()
    } catch {
        fatalError("\(error)")
    }
    // Sound: there are three arguments at least, or `writeSeeds` would not have returned.
    unsafe arguments.pointee[1] = unsafe arguments.pointee[0]
    unsafe arguments.pointee += 1
    unsafe count.pointee -= 1
    return 0
}

/// Called for each input; exits on a violated property, which libFuzzer records as a crash.
@_cdecl("LLVMFuzzerTestOneInput")
public func judge(_ octets: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    do {
        // Sound: libFuzzer's `size` octets, which it leaves alone until this returns.
        let input = unsafe Array(UnsafeBufferPointer(start: octets, count: size))
        try Fuzzer.target?.run(input)
    } catch {
        fatalError("\(error)")
    }
    return 0
}
