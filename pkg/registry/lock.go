package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
)

// Holder is who holds the lock of a workspace. It stands in the lock file for the
// people at the other end; the lock itself is the system's, and ends with its process.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"` // as people know it: "efgsta sign"
	Since   time.Time `json:"since"`
}

// maxHolder is the most of a lock file that is read, in bytes.
const maxHolder = 1 << 10

// write puts the holder into the lock file, which must stay the file that it is; the
// zero Holder empties it. It is said for information: a disk that is full keeps
// nobody from working, and on systems where a lock forbids writing nothing is said.
func (h Holder) write(path string) {
	var text []byte
	if h != (Holder{}) {
		text, _ = json.Marshal(h)
	}
	_ = os.WriteFile(path, text, 0o600)
}

// readHolder reads what the holder of the lock wrote about itself.
func readHolder(path string) (Holder, error) {
	var h Holder
	f, err := os.Open(path)
	if err != nil {
		return h, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHolder))
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return Holder{}, err
	}
	if h.PID <= 0 {
		return Holder{}, errors.New("no process")
	}
	return h, nil
}

// Lock takes the lock of a workspace for a command that only looks, and returns what
// gives it back. Where nothing can be written there is nobody to lock out.
func Lock(dir string, by Holder) (unlock func() error, err error) {
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil {
		return nil, notWorkspace(dir, err)
	}
	l := flock.New(filepath.Join(dir, lockFile))
	switch ok, err := l.TryLock(); {
	case notWritable(err):
		return func() error { return nil }, nil
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	case !ok:
		return nil, inUse(dir)
	}
	by.write(l.Path())
	return func() error {
		Holder{}.write(l.Path())
		return l.Unlock()
	}, nil
}

// notWorkspace is the refusal where the configuration, which every workspace has, cannot be found.
func notWorkspace(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Msg: dir + " is not a workspace: it has no " + ConfigFile, Next: "name one with --workspace DIR, or make one with: efgsta init DIR --environment rehearsal"}
	}
	return err
}

// inUse is the refusal for whoever comes second.
func inUse(dir string) error {
	who := "another efgsta"
	if h, err := readHolder(filepath.Join(dir, lockFile)); err == nil {
		// Quoted: the file may have been written by anybody.
		who = fmt.Sprintf("process %d (%s, since %s)", h.PID, quoted(h.Command), h.Since.UTC().Format(time.RFC3339))
	}
	return &Error{Msg: dir + " is in use by " + who, Next: "wait until the other command has ended; the lock goes with its process"}
}

// quoted leaves plain words as they are.
func quoted(s string) string {
	if q := strconv.QuoteToASCII(s); q != `"`+s+`"` {
		return q
	}
	return s
}
