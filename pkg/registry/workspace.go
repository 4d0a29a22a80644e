// Package registry is the state of a workspace: members, certificates, the EFGSTA
// and releases, replayed from the journal, which alone is the truth.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
)

// ErrDamaged marks a workspace whose files do not fit its journal.
var ErrDamaged = errors.New("workspace damaged")

// Error is a refusal with what to do next.
type Error struct {
	Msg  string
	Next string
	Err  error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Next }

// Names inside a workspace.
const (
	JournalFile = "journal.jsonl"
	objectsDir  = "objects"
	plansDir    = "plans"
	releasesDir = "releases"
	keysDir     = "keys"
	lockFile    = "lock"
)

// Workspace is an open workspace, locked for this process.
type Workspace struct {
	Dir    string
	Config Config
	// ConfigSHA256 and PolicyName stand in every plan.
	ConfigSHA256 string
	Notes        []string // what opening had to say, such as a torn journal line set aside
	ReadOnly     bool     // this process cannot write here: nothing can be decided

	State
	log  *journal.Log // nil if ReadOnly
	head journal.Head // if ReadOnly
	lock *flock.Flock
}

// Init makes a workspace in dir, which must be absent, empty, or left by an Init
// that was interrupted. The journal comes last and makes it one.
func Init(dir string, c Config, at time.Time, actor, tool string) error {
	if err := c.check(); err != nil {
		return err
	}
	if again, err := ParseConfig(c.Encode()); err != nil || again != c {
		return fmt.Errorf("%s: a setting cannot be written: %+v", ConfigFile, c)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours := map[string]bool{ConfigFile: true, objectsDir: true, plansDir: true, releasesDir: true, keysDir: true, lockFile: true}
	for _, e := range entries {
		if e.Name() == JournalFile && journalStarted(filepath.Join(dir, JournalFile)) {
			return &Error{Msg: dir + " is a workspace already", Next: "use it with --workspace " + dir + ", or name another directory"}
		}
		if !ours[e.Name()] && !strings.HasPrefix(e.Name(), JournalFile) && !strings.HasPrefix(e.Name(), atomicfile.TempPrefix) {
			return &Error{Msg: fmt.Sprintf("%s is not empty: it holds %q", dir, e.Name()), Next: "name a directory that does not exist yet"}
		}
	}
	for _, sub := range []string{objectsDir, plansDir, releasesDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, keysDir), 0o700); err != nil {
		return err
	}
	if err := atomicfile.Replace(filepath.Join(dir, ConfigFile), c.Encode(), 0o644); err != nil {
		return err
	}
	log, _, err := journal.Open(filepath.Join(dir, JournalFile), func(journal.Event) error { return nil })
	if err != nil {
		return err
	}
	_, err = log.Append(at, actor, EventInit, InitData{c.ListID, c.Environment, c.Policy, tool})
	return errors.Join(err, log.Close())
}

// journalStarted reports whether there is anything in the journal but a first
// line that was never finished: an event, or damage that is not for Init to clear away.
func journalStarted(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	enough := errors.New("one event is enough")
	_, _, err = journal.Replay(f, func(journal.Event) error { return enough })
	return err != nil
}

// Open locks the workspace at dir and replays its journal.
func Open(dir string) (*Workspace, error) { return OpenAs(dir, Holder{}) }

// OpenAs is Open by a command that says in the lock who it is.
func OpenAs(dir string, by Holder) (*Workspace, error) {
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		return nil, notWorkspace(dir, err)
	}
	w := &Workspace{Dir: dir, ConfigSHA256: digest(text)}
	if w.Config, err = ParseConfig(text); err != nil {
		return nil, &Error{Msg: dir, Next: "put the setting right; the comments in " + ConfigFile + " say what each takes", Err: err}
	}
	if !journalStarted(filepath.Join(dir, JournalFile)) {
		return nil, &Error{Msg: dir + ": " + JournalFile + " is missing or empty", Next: "if init was interrupted, run the same efgsta init again; otherwise restore the journal from its copy", Err: ErrDamaged}
	}
	w.lock = flock.New(filepath.Join(dir, lockFile))
	switch ok, err := w.lock.TryLock(); {
	case notWritable(err):
		return w, w.view()
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	case !ok:
		return nil, inUse(dir)
	}
	by.write(w.lock.Path())
	switch err := w.replay(); {
	case notWritable(err):
		// The lock could be had for reading, the journal not for writing.
		return w, errors.Join(w.view(), w.lock.Unlock())
	case err != nil:
		w.Close()
		return nil, err
	}
	return w, nil
}

func notWritable(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}

// view replays the journal of a workspace that this process cannot write to, such
// as a copy on a read-only medium. Nothing is set aside, locked or recorded.
func (w *Workspace) view() error {
	w.ReadOnly = true
	f, err := os.Open(filepath.Join(w.Dir, JournalFile))
	if err != nil {
		return &Error{Msg: "the journal cannot be read", Next: "work as the user that the workspace belongs to", Err: err}
	}
	defer f.Close()
	head, torn, err := journal.Replay(f, w.apply)
	if err != nil {
		return w.damage(err)
	}
	if torn > 0 {
		w.Notes = append(w.Notes, fmt.Sprintf("the journal ends with %d bytes of an event that was never finished", torn))
	}
	w.head = head
	return w.loaded()
}

// damage marks an error of the journal as one of the workspace.
func (w *Workspace) damage(err error) error {
	if errors.Is(err, journal.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

func (w *Workspace) replay() error {
	var note string
	var err error
	w.log, note, err = journal.Open(filepath.Join(w.Dir, JournalFile), w.apply)
	if err != nil {
		return w.damage(err)
	}
	if note != "" {
		w.Notes = append(w.Notes, note)
	}
	return w.loaded()
}

// loaded checks what was replayed against the configuration and reads the objects.
func (w *Workspace) loaded() error {
	if w.ListID != w.Config.ListID || w.Environment != w.Config.Environment {
		return &Error{
			Msg:  fmt.Sprintf("%s says list %s (%s), the journal says %s (%s)", ConfigFile, w.Config.ListID, w.Config.Environment, w.ListID, w.Environment),
			Next: "list id and environment are fixed when a workspace is made; put them back in " + ConfigFile,
			Err:  ErrDamaged,
		}
	}
	return w.loadCertificates()
}

// Close ends the use of the workspace and unlocks it.
func (w *Workspace) Close() error {
	if w.ReadOnly {
		return nil
	}
	var err error
	if w.log != nil {
		err = w.log.Close()
	}
	Holder{}.write(w.lock.Path())
	return errors.Join(err, w.lock.Unlock())
}

// Head is the last event of the journal.
func (w *Workspace) Head() journal.Head {
	if w.ReadOnly {
		return w.head
	}
	return w.log.Head()
}

// record appends an event and applies it to the state. It is tried first: an event
// that does not fit would make the journal unreadable for good.
func (w *Workspace) record(at time.Time, actor, typ string, data any) error {
	if w.ReadOnly {
		return &Error{Msg: w.Dir + " cannot be written to", Next: "work on the workspace itself, as the user that it belongs to; a copy is only for looking"}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("event %s: %w", typ, err)
	}
	if _, err := w.change(journal.Event{Seq: w.Head().Seq + 1, Time: at, Type: typ, Data: text}); err != nil {
		return fmt.Errorf("event %s was not recorded: %w", typ, err)
	}
	e, err := w.log.Append(at, actor, typ, data)
	if err != nil {
		return err
	}
	return w.apply(e)
}

// ErrKey marks bytes that are not kept because a private key is in them.
var ErrKey = errors.New("it holds a private key")

// PutObject keeps bytes under their SHA-256 and returns it. What is there already
// stays. Nothing with a private key in it becomes an object.
func (w *Workspace) PutObject(data []byte) (string, error) {
	if cert.HoldsKey(data) {
		return "", &Error{Msg: "not kept", Next: "treat the key as compromised: find out who sent it, and delete the file and what carried it here", Err: ErrKey}
	}
	name := digest(data)
	err := atomicfile.Create(filepath.Join(w.Dir, objectsDir, name), data, 0o644)
	if errors.Is(err, fs.ErrExist) {
		_, err = w.Object(name)
	}
	return name, err
}

// Object returns the bytes of that SHA-256.
func (w *Workspace) Object(name string) ([]byte, error) {
	path := filepath.Join(w.Dir, objectsDir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Msg: "object " + cert.ShortHex(name) + " cannot be read (" + err.Error() + ")", Next: "restore " + filepath.Join(objectsDir, name) + " from a copy of the workspace", Err: ErrDamaged}
	}
	if digest(data) != name {
		return nil, &Error{Msg: "object " + cert.ShortHex(name) + " was changed", Next: "restore " + filepath.Join(objectsDir, name) + " from a copy of the workspace", Err: ErrDamaged}
	}
	return data, nil
}

// ObjectsDir is where the objects live that the journal names.
func (w *Workspace) ObjectsDir() string { return filepath.Join(w.Dir, objectsDir) }

// PlanDir is where the plan of that digest lives.
func (w *Workspace) PlanDir(digest string) string { return filepath.Join(w.Dir, plansDir, digest) }

// PlansDir is where pending plans live.
func (w *Workspace) PlansDir() string { return filepath.Join(w.Dir, plansDir) }

// ReleasesDir is where releases live.
func (w *Workspace) ReleasesDir() string { return filepath.Join(w.Dir, releasesDir) }

// ReleaseDir is where the release of that sequence lives.
func (w *Workspace) ReleaseDir(sequence uint64) string {
	return filepath.Join(w.Dir, releasesDir, fmt.Sprintf("%06d", sequence))
}
