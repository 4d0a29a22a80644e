package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
)

// crashed is what is said when a PKCS#11 module takes the process with it. There is no
// way back from inside such a crash, so the text is ready beforehand.
const crashed = "efgsta: the PKCS#11 module crashed; what was not published is not published\n" +
	"hint: efgsta status says where the workspace stands; try the module alone with: efgsta hsm probe\n"

// maxSecret is the longest PIN or passphrase, in bytes.
const maxSecret = 256

// secret reads a PIN or passphrase from where the flags say, else asks for it.
func (f *keyFlags) secret(ctx context.Context, a *app, prompt string) ([]byte, error) {
	if err := noCoreDump(); err != nil {
		a.notef("warning: core dumps stay on: %v", err)
	}
	switch {
	case f.pinFile != "" && f.pinFD >= 0:
		return nil, usagef("give one of them", "--pin-file and --pin-fd exclude each other")
	case f.pinFile != "":
		return secretFile("--pin-file", f.pinFile)
	case f.pinFD >= 0:
		if err := redirected(f.pinFD); err != nil {
			return nil, usagef(fmt.Sprintf("redirect it: %d<FILE", f.pinFD), "--pin-fd %d: %w; nothing was read or sent", f.pinFD, err)
		}
		file := os.NewFile(uintptr(f.pinFD), "pin-fd")
		if file == nil {
			return nil, usagef(fmt.Sprintf("redirect it: %d<FILE", f.pinFD), "--pin-fd %d is not open", f.pinFD)
		}
		defer file.Close()
		return firstLine(file, fmt.Sprintf("--pin-fd %d", f.pinFD))
	}
	return a.askSecret(interrupted(ctx), prompt)
}

// firstLine reads a secret up to its line end, which is not part of it.
func firstLine(r io.Reader, where string) ([]byte, error) {
	buf := make([]byte, maxSecret+2)
	n, err := io.ReadFull(r, buf)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		clear(buf)
		return nil, usagef("give what can be read: a file or a pipe", "%s: %w", where, err)
	}
	line := buf[:n]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = bytes.TrimSuffix(line[:i], []byte("\r"))
	}
	if hasByteOrderMark(line) {
		clear(buf)
		return nil, usagef("save the file as plain text, UTF-8 without a byte order mark", "%s begins with a byte order mark, which an editor put there; the secret was not used", where)
	}
	if len(line) == 0 || len(line) > maxSecret {
		clear(buf)
		return nil, usagef("put it, and nothing else, on the first line", "%s: expected a PIN or passphrase of 1 to %d bytes on the first line", where, maxSecret)
	}
	return line, nil
}

// hasByteOrderMark knows the marks of UTF-8 and of both kinds of UTF-16.
func hasByteOrderMark(text []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return true
		}
	}
	return false
}
