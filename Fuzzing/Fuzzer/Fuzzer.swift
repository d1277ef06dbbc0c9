import FuzzTargets
import Glibc

/// The program that `make fuzz` runs: `Fuzzer TARGET CORPUS [OPTION]…`, with libFuzzer's options.
///
/// libFuzzer has the main function and calls the two functions below.
enum Fuzzer {
    static let target = CommandLine.arguments.dropFirst().first
        .flatMap(FuzzTarget.init(rawValue:))

    /// Puts the target's seeds into the folder CORPUS, to which libFuzzer adds what it finds worth keeping.
    static func writeSeeds() throws {
        guard let target, CommandLine.arguments.count >= 3 else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
            print("usage: Fuzzer \(names) CORPUS [OPTION]…")
            exit(2)
        }
        for seed in try target.seeds() { try seed.write(to: CommandLine.arguments[2]) }
    }
}

/// Called once before the arguments are read; takes the target's name out of them.
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

/// Called for each input; ends the process at a broken property, which libFuzzer takes for a crash and keeps.
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
