package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// When a line about progress appears, and how often it changes.
const (
	progressAfter = time.Second
	progressEvery = 100 * time.Millisecond
)

// progress is one line on a terminal that says how far a long run is. It is rewritten
// in place and wiped before anything else is written there.
type progress struct {
	w     io.Writer // nil: nobody looks
	began time.Time
	last  time.Time
	width int // of the line that stands there, 0 if none does
}

// newProgress is silent unless stderr is a terminal.
func (a *app) newProgress() *progress {
	p := &progress{began: time.Now()}
	if isTerminal(a.err) {
		p.w = a.err
	}
	return p
}

// show says how far the run is, if it is time to. The text is plain ASCII.
func (p *progress) show(format string, args ...any) {
	now := time.Now()
	if p.w == nil || now.Sub(p.began) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	text := fmt.Sprintf(format, args...)
	// Blanks instead of an escape sequence: every terminal has those.
	fmt.Fprintf(p.w, "\r%s%s", text, strings.Repeat(" ", max(0, p.width-len(text))))
	p.width = max(p.width, len(text))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}
