package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
)

// Audit is what holding a workspace against its journal and its signatures gave.
type Audit struct {
	Head      journal.Head // of what verified
	Proven    []string
	Not       []string // what nobody looked at
	Damage    []Damage
	Leftovers []Leftover
}

// Damage is something that is not as it was written.
type Damage struct {
	File string `json:"file"` // inside the workspace
	Line uint64 `json:"line"` // of the journal, else 0
	What string `json:"what"`
	Hint string `json:"hint"`
}

// Leftover is something that nothing in the workspace speaks of. It does no harm.
type Leftover struct {
	File string `json:"file"`
	What string `json:"what"`
}

// What to do about damage.
const (
	hintCopy    = "restore it from a copy of the workspace"
	hintJournal = "do not edit the journal; restore it from a copy whose last event the last release does not go beyond"
	hintTorn    = "run efgsta status on the workspace itself: it sets the line aside; if no command was interrupted, restore the journal from a copy"
)

// auditor collects. Trail is nil until the journal was read.
type auditor struct {
	Audit
	dir   string
	trail *registry.Trail
	whole bool // the journal verified to its end
}

// VerifyWorkspace holds everything in the workspace at dir against the journal, and the journal
// against the releases that signed its head. It writes nothing, and goes on after
// damage as far as that makes sense. The caller holds the lock, or has a copy.
func VerifyWorkspace(dir string) *Audit {
	a := &auditor{dir: dir}
	a.journal()
	a.config()
	a.objects()
	a.plans()
	a.releases()
	a.others()
	return &a.Audit
}

func (a *auditor) damaged(file, hint, format string, args ...any) {
	a.Damage = append(a.Damage, Damage{File: file, What: fmt.Sprintf(format, args...), Hint: hint})
}

func (a *auditor) leftover(file, what string) {
	a.Leftovers = append(a.Leftovers, Leftover{file, what})
}

// proven notes what holds for a part, unless damage to it was found since.
func (a *auditor) proven(before int, format string, args ...any) {
	if len(a.Damage) == before {
		a.Proven = append(a.Proven, fmt.Sprintf(format, args...))
	}
}

func (a *auditor) path(elem ...string) string {
	return filepath.Join(append([]string{a.dir}, elem...)...)
}

func (a *auditor) journal() {
	a.trail = &registry.Trail{}
	before := len(a.Damage)
	f, err := os.Open(a.path(registry.JournalFile))
	if err != nil {
		a.damaged(registry.JournalFile, hintCopy, "%v", err)
		return
	}
	defer f.Close()
	a.trail, err = registry.ReadTrail(f)
	a.Head = a.trail.Head
	next := a.Head.Seq + 1
	switch {
	case err != nil:
		a.Damage = append(a.Damage, Damage{registry.JournalFile, next, err.Error(), hintJournal})
		return
	case a.trail.Torn > 0:
		a.Damage = append(a.Damage, Damage{registry.JournalFile, next, fmt.Sprintf("the last line was never finished: %d bytes, no event", a.trail.Torn), hintTorn})
	case a.Head.Seq == 0:
		a.damaged(registry.JournalFile, hintCopy, "no event in it")
		return
	case !endsLine(f):
		a.leftover(registry.JournalFile, "the last event is complete but for its line end")
	}
	a.whole = true
	a.proven(before, "journal: %s, each with its hash, joined on to the one before; the last is %s", count(int(a.Head.Seq), "event"), a.Head.Hash)
}

// endsLine reports whether the last byte is an LF.
func endsLine(f *os.File) bool {
	st, err := f.Stat()
	if err != nil {
		return false
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, st.Size()-1)
	return err == nil && b[0] == '\n'
}

func (a *auditor) config() {
	text, err := os.ReadFile(a.path(registry.ConfigFile))
	if err != nil {
		a.damaged(registry.ConfigFile, hintCopy, "%v", err)
		return
	}
	c, err := registry.ParseConfig(text)
	switch {
	case err != nil:
		a.damaged(registry.ConfigFile, "the comments in the file say what each setting takes", "%v", err)
	case a.whole && (c.ListID != a.trail.ListID || c.Environment != a.trail.Environment):
		a.damaged(registry.ConfigFile, "list id and environment are fixed when a workspace is made", "it says list %s (%s), the journal says %s (%s)", c.ListID, c.Environment, a.trail.ListID, a.trail.Environment)
	default:
		a.Not = append(a.Not, registry.ConfigFile+" beyond list id and environment: a change of it voids pending plans, and is no damage")
	}
}

// entries lists a directory of the workspace. Temporary files are left over.
func (a *auditor) entries(dir string) []fs.DirEntry {
	all, err := os.ReadDir(a.path(dir))
	if err != nil {
		a.damaged(dir, hintCopy, "%v", err)
		return nil
	}
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool {
		if strings.HasPrefix(e.Name(), atomicfile.TempPrefix) {
			a.leftover(dir+"/"+e.Name(), "unfinished, left by a command that was interrupted; the next one removes it")
			return true
		}
		return false
	})
}

// read reads a regular file of the workspace and says if it cannot.
func (a *auditor) read(name string) ([]byte, bool) {
	path := a.path(filepath.FromSlash(name))
	st, err := os.Lstat(path)
	if err == nil && (!st.Mode().IsRegular() || st.Size() > release.MaxFile) {
		err = fmt.Errorf("not a regular file of at most %d bytes", release.MaxFile)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	var why *fs.PathError
	if errors.As(err, &why) {
		err = why.Err
	}
	if err != nil {
		a.damaged(name, hintCopy, "cannot be read: %v", err)
	}
	return data, err == nil
}

// others names what is in the workspace's own directory and none of its parts.
func (a *auditor) others() {
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		a.damaged(".", hintCopy, "%v", err)
		return
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case registry.Part(name):
		case strings.HasPrefix(name, registry.JournalFile+".torn-"):
			a.leftover(name, "a line that was never finished, set aside")
		case strings.HasPrefix(name, atomicfile.TempPrefix):
			a.leftover(name, "unfinished, left by a command that was interrupted")
		default:
			a.leftover(name, "no part of a workspace")
		}
	}
	a.Not = append(a.Not, "keys/ and hsm.yaml: nothing that was decided or signed is in them")
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
