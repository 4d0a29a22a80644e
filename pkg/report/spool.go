package report

import (
	"bytes"
	"io"
	"os"
)

// spoolMemory is how much of a part of a report is kept in memory, in bytes.
const spoolMemory = 1 << 20

// spool keeps a part of a report until what stands before it is known: in memory
// while it is short, then in a temporary file. Its zero value is empty.
type spool struct {
	memory bytes.Buffer
	file   *os.File
	named  bool // the file still has its name
}

func (s *spool) Write(p []byte) (int, error) {
	n := len(p)
	if s.memory.Len()+n <= spoolMemory {
		return s.memory.Write(p)
	}
	if err := s.spill(); err != nil {
		return 0, err
	}
	if n > spoolMemory {
		return s.file.Write(p)
	}
	return s.memory.Write(p)
}

// spill moves what is in memory to the file.
func (s *spool) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "efgsta-*")
		if err != nil {
			return err
		}
		// Without a name nothing stays behind, however the run ends. Where an open file
		// keeps its name, discard takes it away.
		s.file, s.named = f, os.Remove(f.Name()) != nil
	}
	_, err := s.file.Write(s.memory.Bytes())
	s.memory.Reset()
	return err
}

// copyTo writes all of it and empties it.
func (s *spool) copyTo(w io.Writer) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w, s.file); err != nil {
			return err
		}
	}
	_, err := w.Write(s.memory.Bytes())
	s.discard()
	return err
}

func (s *spool) discard() {
	s.memory.Reset()
	if s.file != nil {
		s.file.Close()
		if s.named {
			_ = os.Remove(s.file.Name())
		}
		s.file = nil
	}
}
