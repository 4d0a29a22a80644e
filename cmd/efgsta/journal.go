package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

func newJournalCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "journal",
		Short: "What was decided: show it, verify it, hand it to an auditor",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(newJournalShowCmd(a), newJournalVerifyCmd(a), newJournalExportCmd(a))
	return c
}

// addDir adds --workspace to a command that no time steers.
func addDir(c *cobra.Command, a *app, dir *string) {
	c.Flags().StringVar(dir, "workspace", defaultDir(a), "workspace `DIR` (or EFGSTA_WORKSPACE)")
}

func newJournalShowCmd(a *app) *cobra.Command {
	var dir string
	var since uint64
	var format formatFlag
	c := &cobra.Command{
		Use:   "show",
		Short: "Events, one a line",
		Long: `Shows the events of the journal: number, time, who, what, and in short the data.
Each line's hash is checked on the way; what stands before damage is shown, and the
exit code is 5. It writes nothing, and takes no lock.`,
		Example: `  efgsta journal show
  efgsta journal show --since 40 --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			show := func(e journal.Event) error {
				a.printf("%6d  %s  %s  %s  %s\n", e.Seq, e.Time.Format(time.RFC3339), report.Escape(e.Actor), report.Escape(e.Type), report.Escape(short(e.Data)))
				return nil
			}
			out := journalJSON{Schema: "efgsta.journal/v1", Events: []journal.Event{}}
			if format.json() {
				show = func(e journal.Event) error {
					out.Events = append(out.Events, e)
					return nil
				}
			}
			head, torn, err := replayJournal(dir, func(e journal.Event) error {
				if e.Seq < since {
					return nil
				}
				return show(e)
			})
			if err != nil {
				return err
			}
			if torn > 0 {
				a.notef("efgsta: the journal ends with %d bytes of an event that was never finished", torn)
			}
			if format.json() {
				out.Head, out.Torn = head, torn
				return a.json(out)
			}
			return nil
		},
	}
	addDir(c, a, &dir)
	format.add(c)
	c.Flags().Uint64Var(&since, "since", 0, "begin with event `N`")
	return c
}

type journalJSON struct {
	Schema string          `json:"schema"`
	Events []journal.Event `json:"events"`
	Head   journal.Head    `json:"head"`
	Torn   int             `json:"torn"` // bytes of a last line that was never finished
}

// replayJournal reads the journal of a workspace as it lies there.
func replayJournal(dir string, fn func(journal.Event) error) (journal.Head, int, error) {
	path := filepath.Join(dir, registry.JournalFile)
	f, err := os.Open(path)
	if err != nil {
		return journal.Head{}, 0, usagef("name a workspace with --workspace DIR", "%w", err)
	}
	defer f.Close()
	head, torn, err := journal.Replay(f, fn)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return head, torn, err
}

// maxShort is the length at which the data of an event is cut off, in characters.
const maxShort = 160

// short tells the data of an event on one line: members in the order in which they
// stand, digests shortened, lists by their length.
func short(data json.RawMessage) string {
	var keys []string
	var values map[string]json.RawMessage
	if json.Unmarshal(data, &values) != nil {
		return string(data)
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.Token() // the brace
	for dec.More() {
		key, err := dec.Token()
		var skip json.RawMessage
		if err != nil || dec.Decode(&skip) != nil {
			break
		}
		keys = append(keys, fmt.Sprint(key))
	}
	var words []string
	for _, k := range keys {
		if v := shortValue(values[k]); v != "" {
			words = append(words, k+"="+v)
		}
	}
	line := strings.Join(words, " ")
	if utf8.RuneCountInString(line) > maxShort {
		line = string([]rune(line)[:maxShort-1]) + "…"
	}
	return line
}

// shortValue is "" for what says nothing.
func shortValue(v json.RawMessage) string {
	var list []json.RawMessage
	var text string
	switch {
	case string(v) == "null" || string(v) == `""` || string(v) == "[]":
		return ""
	case json.Unmarshal(v, &list) == nil:
		if len(list) == 1 {
			if one := shortValue(list[0]); one != "{…}" {
				return one
			}
		}
		return fmt.Sprintf("[%d]", len(list))
	case json.Unmarshal(v, &text) == nil:
		switch {
		case len(text) == 64 && strings.Trim(text, "0123456789abcdef") == "":
			return cert.ShortHex(text)
		case strings.ContainsAny(text, " \""):
			return string(v)
		}
		return text
	case strings.HasPrefix(string(v), "{"):
		return "{…}"
	}
	return string(v)
}

func newJournalExportCmd(a *app) *cobra.Command {
	var dir, out string
	c := &cobra.Command{
		Use:   "export",
		Short: "The journal as one file for an auditor, with the hashes of its objects",
		Long: `Writes the lines of the journal as they are, and after them one line with the head
and every object that the journal names: SHA-256, size, and the event that names it
first. The same workspace gives the same bytes. A damaged journal, or one with an
object missing or changed, is not exported (exit 5).`,
		Example: "  efgsta journal export -o journal-2026-11-22.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			unlock, err := registry.Lock(dir, a.holder(c))
			if err != nil {
				return err
			}
			o, err := openOutput(a, out)
			if err == nil {
				err = exportJournal(dir, o)
				if err != nil {
					o.discard()
				} else {
					err = o.commit()
				}
			}
			return errors.Join(err, unlock())
		},
	}
	addDir(c, a, &dir)
	c.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` (default: stdout)")
	return c
}

// journalExportJSON is the last line of an export.
type journalExportJSON struct {
	Schema  string           `json:"schema"`
	Head    journal.Head     `json:"head"`
	Objects []exportedObject `json:"objects"` // by SHA-256
}

type exportedObject struct {
	SHA256 string              `json:"sha256"`
	Size   int                 `json:"size"`
	Event  uint64              `json:"event"`
	Kind   registry.ObjectKind `json:"kind"`
}

func exportJournal(dir string, out io.Writer) error {
	f, err := os.Open(filepath.Join(dir, registry.JournalFile))
	if err != nil {
		return usagef("name a workspace with --workspace DIR", "%w", err)
	}
	defer f.Close()
	trail, err := registry.ReadTrail(f)
	if err != nil {
		return fmt.Errorf("%s: %w", registry.JournalFile, err)
	}
	last := journalExportJSON{Schema: "efgsta.journal-export/v1", Head: trail.Head, Objects: []exportedObject{}}
	seen := map[string]bool{}
	for _, n := range trail.Objects {
		if seen[n.SHA256] {
			continue
		}
		seen[n.SHA256] = true
		data, err := (&registry.Workspace{Dir: dir}).Object(n.SHA256)
		if err != nil {
			return err
		}
		last.Objects = append(last.Objects, exportedObject{n.SHA256, len(data), n.Event, n.Kind})
	}
	slices.SortFunc(last.Objects, func(x, y exportedObject) int { return strings.Compare(x.SHA256, y.SHA256) })
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	whole := st.Size() - int64(trail.Torn) // a line that was never finished is no event
	if _, err := io.CopyN(out, f, whole); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s\n", lineEnd(f, whole), text)
	return err
}

// lineEnd is what the last event lacks of a line.
func lineEnd(f *os.File, size int64) string {
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, size-1); err == nil && b[0] != '\n' {
		return "\n"
	}
	return ""
}
