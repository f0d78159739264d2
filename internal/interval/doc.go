// Package interval answers one question: which interval is this, and what is
// inside it?
//
// A day is a local calendar day of a zone, from its first instant to the first
// instant of the next; it has as many intervals as its elapsed time holds, so 46,
// 48 or 50 half hours in Europe/Amsterdam and none on a date that a zone left
// out. [Span] and [Group] cut time, [Moment] is a date-time as clients write it,
// [Day] holds the values of one day and packs them into a row, [AppendMonth]
// seals the days of a month, [Overlay] lays a later batch over a stored day and
// [Sum] adds up exactly.
//
// Instants are Unix seconds where speed matters and [time.Time] elsewhere.
// Nothing here reads a clock.
package interval
