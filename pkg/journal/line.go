package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	hexLen    = 2 * sha256.Size
	hashOpen  = `,"hash":"`
	hashClose = `"}`
	tailLen   = len(hashOpen) + hexLen + len(hashClose)
)

var errOwnHash = errors.New("the line's own hash does not match its text")

// body is an Event without its hash: what the hash covers.
type body struct {
	Seq   uint64          `json:"seq"`
	Time  time.Time       `json:"time"`
	Actor string          `json:"actor"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"`
	Prev  string          `json:"prev"`
}

// marshal is compact JSON that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// wholeSecond is the resolution of the journal.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// encode returns the one line, without LF, that stands for the event; its hash is made here.
func encode(e Event) ([]byte, error) {
	line, err := marshal(body{e.Seq, wholeSecond(e.Time), e.Actor, e.Type, e.Data, e.Prev})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(line)
	line = append(line[:len(line)-1], hashOpen...)
	line = hex.AppendEncode(line, sum[:])
	return append(line, hashClose...), nil
}

// ownHash reports whether the line, without LF, ends in the hash of the rest of it.
func ownHash(line []byte) bool {
	if len(line) < tailLen {
		return false
	}
	head, tail := line[:len(line)-tailLen], line[len(line)-tailLen:]
	h := sha256.New()
	h.Write(head)
	h.Write([]byte("}"))
	return string(tail) == hashOpen+hex.EncodeToString(h.Sum(nil))+hashClose
}

// decode reads a line, without LF. It takes only the bytes that encode would write.
func decode(line []byte) (Event, error) {
	if !ownHash(line) {
		return Event{}, errOwnHash
	}
	if !utf8.Valid(line) {
		return Event{}, errors.New("the line is not UTF-8")
	}
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("the line is not an event: %w", err)
	}
	again, err := encode(e)
	if err != nil {
		return Event{}, fmt.Errorf("the line is not an event: %w", err)
	}
	if !bytes.Equal(again, line) {
		return Event{}, errors.New("the line is not in canonical form")
	}
	e.Time = wholeSecond(e.Time)
	return e, nil
}
