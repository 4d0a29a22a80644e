package vet

import (
	"fmt"
	"unicode/utf8"
)

// What one rule says of one certificate is kept to a length that a report can show:
// both the number of names in a certificate and their lengths are its maker's choice.
const (
	maxProblems = 50   // of one case of a rule
	maxMessage  = 2000 // bytes
)

// bounded leaves out what is too much, says so, and never leaves out the only problem
// of a case, which may have a severity of its own.
func bounded(all []problem) []problem {
	if len(all) <= maxProblems {
		for i := range all {
			all[i].msg, all[i].path = shorten(all[i].msg), shorten(all[i].path)
		}
		return all
	}
	var out []problem
	counts := map[string]int{}
	for _, p := range all {
		if counts[p.kase]++; counts[p.kase] > maxProblems {
			continue
		}
		p.msg, p.path = shorten(p.msg), shorten(p.path)
		out = append(out, p)
	}
	if len(out) == len(all) {
		return out
	}
	for _, p := range out {
		if n := counts[p.kase] - maxProblems; n > 0 {
			out = append(out, problem{msg: fmt.Sprintf("and %d more of this kind", n), kase: p.kase})
			counts[p.kase] = 0
		}
	}
	return out
}

// shorten cuts text to maxMessage, between two characters.
func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for end > maxMessage-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
