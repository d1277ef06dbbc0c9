/// Milliseconds of the process's steady clock, or between two of its readings.
public typealias Milliseconds = UInt64
