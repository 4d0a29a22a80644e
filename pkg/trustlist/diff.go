package trustlist

import (
	"fmt"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// ChangeKind is what happened to a part of a list.
type ChangeKind string

// The kinds.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// Change is one difference between two lists, and in words.
type Change struct {
	Kind    ChangeKind `json:"kind"`
	Part    string     `json:"part"`    // "list", "entry", "removal"; others from whoever compares more than lists
	Country string     `json:"country"` // this and the next three of an entry or removal
	Type    vet.Role   `json:"type"`
	SHA256  string     `json:"sha256"`
	Subject string     `json:"subject"` // what the certificate says
	Text    string     `json:"text"`
}

// Diff compares two lists: what is said of the list first, then certificates that
// came, left, or are listed otherwise, then records of removal. Lists are taken as
// they are; nothing is verified.
func Diff(old, new *List) []Change {
	out := diffHead(old, new)
	was, is := byHash(old), byHash(new)
	gone, goneNow := removals(old), removals(new)
	for _, e := range new.Entries {
		before, listed := was[e.SHA256]
		r, left := gone[e.SHA256]
		switch {
		case listed:
			out = append(out, diffEntry(before, e)...)
		case left:
			out = append(out, ofEntry(Added, e, fmt.Sprintf("it was removed on %s (%s): what was removed must never come back", r.Since.Format(time.DateOnly), r.Reason)))
		default:
			out = append(out, ofEntry(Added, e, fmt.Sprintf("valid from %s to %s%s", e.NotBefore.Format(time.DateOnly), e.NotAfter.Format(time.DateOnly), waivedText(e.Waived))))
		}
	}
	for _, e := range old.Entries {
		if _, still := is[e.SHA256]; still {
			continue
		}
		text := "no reason is recorded: a removal must have one"
		if r, ok := goneNow[e.SHA256]; ok {
			text = fmt.Sprintf("%s, since %s", r.Reason, r.Since.Format(time.DateOnly))
		}
		out = append(out, ofEntry(Removed, e, text))
	}
	return append(out, diffRemovals(old, new, was)...)
}

func diffHead(old, new *List) []Change {
	var out []Change
	say := func(what, was, is string) {
		if was != is {
			out = append(out, Change{Kind: Changed, Part: "list", Text: fmt.Sprintf("%s: %s → %s", what, was, is)})
		}
	}
	stamp := func(t time.Time) string { return t.Format(time.RFC3339) }
	say("list id", old.ListID, new.ListID)
	say("environment", old.Environment, new.Environment)
	say("number", fmt.Sprint(old.Sequence), fmt.Sprint(new.Sequence))
	say("this update", stamp(old.ThisUpdate), stamp(new.ThisUpdate))
	say("next update", stamp(old.NextUpdate), stamp(new.NextUpdate))
	say("EFGSTA", old.Anchor.Subject+" "+cert.ShortHex(old.Anchor.SHA256), new.Anchor.Subject+" "+cert.ShortHex(new.Anchor.SHA256))
	say("policy", old.Policy.Name+" "+cert.ShortHex(old.Policy.SHA256), new.Policy.Name+" "+cert.ShortHex(new.Policy.SHA256))
	return out
}

// diffEntry compares two entries of one certificate, whose fields are the certificate's.
func diffEntry(old, new Entry) []Change {
	var texts []string
	if old.Country != new.Country || old.Type != new.Type {
		texts = append(texts, fmt.Sprintf("it was listed as %s %s", old.Country, strings.ToUpper(string(old.Type))))
	}
	if was, is := waivedText(old.Waived), waivedText(new.Waived); was != is {
		texts = append(texts, fmt.Sprintf("waived rules: %s → %s", or(was), or(is)))
	}
	if len(texts) == 0 {
		return nil
	}
	return []Change{ofEntry(Changed, new, strings.Join(texts, "; "))}
}

func or(waived string) string {
	if waived == "" {
		return "none"
	}
	return strings.TrimPrefix(waived, "; waived: ")
}

func waivedText(waived []Waived) string {
	var rules []string
	for _, w := range waived {
		rules = append(rules, fmt.Sprintf("%s until %s", w.Rule, w.Until.Format(time.DateOnly)))
	}
	if len(rules) == 0 {
		return ""
	}
	return "; waived: " + strings.Join(rules, ", ")
}

// diffRemovals compares what the lists remember, but for what left between them.
func diffRemovals(old, new *List, was map[string]Entry) []Change {
	var out []Change
	before, now := removals(old), removals(new)
	for _, r := range new.Removed {
		o, known := before[r.SHA256]
		_, left := was[r.SHA256]
		switch {
		case known && o != r:
			out = append(out, ofRemoval(Changed, r, fmt.Sprintf("%s, since %s → %s, since %s", o.Reason, o.Since.Format(time.DateOnly), r.Reason, r.Since.Format(time.DateOnly))))
		case !known && !left:
			out = append(out, ofRemoval(Added, r, fmt.Sprintf("%s, since %s; the old list never held it", r.Reason, r.Since.Format(time.DateOnly))))
		}
	}
	for _, r := range old.Removed {
		if _, still := now[r.SHA256]; !still {
			out = append(out, ofRemoval(Removed, r, fmt.Sprintf("its removal on %s (%s) is no longer recorded: a removal stays on record", r.Since.Format(time.DateOnly), r.Reason)))
		}
	}
	return out
}

func ofEntry(kind ChangeKind, e Entry, text string) Change {
	return Change{kind, "entry", e.Country, e.Type, e.SHA256, e.Subject, text}
}

func ofRemoval(kind ChangeKind, r Removal, text string) Change {
	return Change{kind, "removal", r.Country, r.Type, r.SHA256, "", text}
}

func byHash(l *List) map[string]Entry {
	out := make(map[string]Entry, len(l.Entries))
	for _, e := range l.Entries {
		out[e.SHA256] = e
	}
	return out
}

func removals(l *List) map[string]Removal {
	out := make(map[string]Removal, len(l.Removed))
	for _, r := range l.Removed {
		out[r.SHA256] = r
	}
	return out
}
