// swift-tools-version: 6.2
import PackageDescription

let continuousIntegration = Context.environment["CI"] == "true"

let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (continuousIntegration ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
    name: "zonal",
    products: [.executable(name: "zonal", targets: ["zonal"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle",
            exact: "2.13.0"
        ),
    ],
    targets: [
        .target(name: "DNSWire", swiftSettings: strict),
        .target(name: "Snapshot", dependencies: ["DNSWire"], swiftSettings: strict),
        .target(name: "Sockets", dependencies: ["DNSWire", "CSockets"], swiftSettings: strict),
        .target(
            name: "Upstream",
            dependencies: [
                "DNSWire", "Sockets", "CSockets",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Resolver",
            dependencies: ["Upstream", "Snapshot", "DNSWire"],
            swiftSettings: strict
        ),
        .target(
            name: "Server",
            dependencies: [
                "Resolver", "Upstream", "Snapshot", "DNSWire", "Sockets", "CSockets",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Control",
            dependencies: [
                "Snapshot", "DNSWire", "CFiles", "CLdns",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "zonal",
            dependencies: [
                "Server", "Control", "Resolver", "Upstream", "Snapshot", "Sockets", "DNSWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(name: "CFiles"),
        .target(name: "CSockets"),
        .systemLibrary(name: "CLdns", pkgConfig: "ldns", providers: [.apt(["libldns-dev"])]),

        .target(
            name: "TestSupport",
            dependencies: ["Control", "DNSWire"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Server", "Control", "Resolver", "Upstream", "Snapshot", "DNSWire", "TestSupport",
            ],
            path: "Fuzzing/FuzzTargets",
            swiftSettings: strict
        ),
        .testTarget(
            name: "DNSWireTests",
            dependencies: ["DNSWire", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SnapshotTests",
            dependencies: ["Snapshot", "DNSWire", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ResolverTests",
            dependencies: [
                "Resolver", "Upstream", "Snapshot", "DNSWire", "CAllocationCounter", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Resolver", "Upstream", "Snapshot", "DNSWire", "Sockets", "CSockets",
                "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ControlTests",
            dependencies: ["Control", "Snapshot", "DNSWire", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FuzzingTests",
            dependencies: ["FuzzTargets"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ScenarioTests",
            dependencies: ["TestSupport", "DNSWire"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MeasurementTests",
            dependencies: ["TestSupport"],
            swiftSettings: strict
        ),
    ]
)

// Built only by `make stage-costs`.
if Context.environment["ZONAL_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "StageCosts",
            dependencies: ["Resolver", "Upstream", "Snapshot", "DNSWire"],
            path: "Benchmarks/StageCosts",
            swiftSettings: strict
        )
    )
}

// Built only by `make fuzz`; libFuzzer provides the main function.
if Context.environment["ZONAL_FUZZING"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzzer",
            dependencies: ["FuzzTargets"],
            path: "Fuzzing/Fuzzer",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]
        )
    )
}
