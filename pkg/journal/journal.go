// Package journal is the append-only, hash-chained, crash-safe log that is the
// only source of truth of a workspace: JSON Lines, one event a line.
//
// A line is one JSON object in UTF-8 without insignificant white space, with the
// members of [Event] in that order, ended by one LF. The hash member stands last,
// so a verifier in any language can work on bytes alone: without its LF, a line
// ends in the 75 bytes `,"hash":"` + 64 hex digits + `"}`; cut them off, put `}`
// in their place, and the SHA-256 of that, in lower-case hex, is the 64 digits.
// prev repeats the digits of the line before.
package journal

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ErrDamaged marks a journal that does not verify; the error names the line.
var ErrDamaged = errors.New("journal damaged")

// ErrClock marks an event that would be older than the last one.
var ErrClock = errors.New("clock is behind the journal")

// Event is one line. Hash is the lower-case hex SHA-256 over the line's JSON
// without the hash member; Prev is the Hash of the line before, 64 zeros for the first.
type Event struct {
	Seq   uint64          `json:"seq"`  // from 1
	Time  time.Time       `json:"time"` // UTC, whole seconds, never before the line above
	Actor string          `json:"actor"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"` // compact JSON
	Prev  string          `json:"prev"`
	Hash  string          `json:"hash"`
}

// Head is the last event's place and hash; the zero Head is an empty journal.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// MaxLine is the longest line, in bytes, its LF included.
const MaxLine = 1 << 20

// noPrev is the Prev of the first event.
var noPrev = strings.Repeat("0", hexLen)

// hinted is an error that can tell the user what to do.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

// Hint says what to do about the error.
func (e *hinted) Hint() string { return e.hint }
