/// Milliseconds of the process's steady clock, or between two of its readings.
package typealias Milliseconds = UInt64
