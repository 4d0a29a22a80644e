package cert

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The caps against archives that grow: on the files in one, on each of them, and
// on how much larger than its packed form it may be. MaxFile caps them together.
const (
	maxEntries   = 500
	maxEntry     = 4 << 20 // bytes
	maxRatio     = 100
	ratioFrom    = 64 << 10 // bytes below which the ratio does not matter
	maxEntryName = 80       // bytes shown
)

// zip reads the certificates of every file in an archive. Archives in archives
// are not opened.
func (in *reading) zip(data []byte, line int) {
	if in.entry != "" {
		in.foreign(structure{name: "zip archive inside another", advice: adviceZip}, -1, line)
		return
	}
	// Counted before they are read: each costs memory. A local header is 30 bytes
	// and a central one 46, so few files cannot be many entries.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > maxEntries {
		in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("zip archive has %d entries, at most %d are read", n, maxEntries))
		return
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // nothing is written to a path
		in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("zip archive: %s", err))
		return
	}
	in.strayKeys([]byte(r.Comment))
	packed := len(data) // entries that lie apart need no more
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		in.entry = f.Name
		if in.entry == "" {
			in.entry = "without name"
		}
		raw, err := rawEntry(f, data)
		if packed -= len(raw); err == nil && packed < 0 {
			err = errors.New("it overlaps with other entries")
		}
		if err == nil {
			raw, err = in.unpack(f, raw)
		}
		switch {
		case errors.Is(err, errLocked):
			in.problem(ProblemPassword, -1, 0, in.denied.Error())
		case errors.Is(err, errWrongPassword):
			in.problem(ProblemPassword, -1, 0, err.Error())
		case err != nil:
			in.problem(ProblemUnreadable, -1, 0, err.Error())
		case len(raw) > 0:
			in.read(raw)
		}
		in.entry = ""
		if packed < 0 {
			return
		}
	}
}

// rawEntry is an entry as it lies in the archive.
func rawEntry(f *zip.File, data []byte) ([]byte, error) {
	at, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	left := uint64(len(data)) - uint64(at)
	if at < 0 || at > int64(len(data)) || f.CompressedSize64 > left {
		return nil, errors.New("it runs past the end of the archive")
	}
	return data[at:][:f.CompressedSize64], nil
}

const (
	flagEncrypted = 1 << 0
	flagStrong    = 1 << 6
	flagMasked    = 1 << 13
	methodAES     = 99
)

// unpack decrypts and decompresses an entry within the caps.
func (in *reading) unpack(f *zip.File, raw []byte) ([]byte, error) {
	method, checksum := f.Method, true
	switch {
	case f.Flags&(flagStrong|flagMasked) != 0:
		return nil, errors.New("its encryption is not supported: use AES-256, e.g. 7z a -tzip -mem=AES256 -p FILE.zip FILES")
	case f.Flags&flagEncrypted != 0 && method != methodAES:
		return nil, errors.New("its encryption (ZipCrypto) is broken and not read: use AES-256, e.g. 7z a -tzip -mem=AES256 -p FILE.zip FILES")
	case f.Flags&flagEncrypted != 0:
		a, err := readAESExtra(f.Extra)
		if err != nil {
			return nil, err
		}
		if raw, err = in.decryptAES(a, raw); err != nil {
			return nil, err
		}
		method, checksum = a.method, a.version == 1
	}
	limit := min(maxEntry, max(ratioFrom, maxRatio*len(raw)), in.room)
	out, err := inflate(method, raw, limit)
	if err != nil {
		return nil, err
	}
	in.room -= len(out)
	if uint64(len(out)) != f.UncompressedSize64 || checksum && crc32.ChecksumIEEE(out) != f.CRC32 {
		return nil, errors.New("it is damaged: size or checksum differ")
	}
	return out, nil
}

func inflate(method uint16, raw []byte, limit int) ([]byte, error) {
	var from io.Reader = bytes.NewReader(raw)
	switch method {
	case zip.Store:
	case zip.Deflate:
		from = flate.NewReader(from)
	default:
		return nil, fmt.Errorf("compression method %d is not supported: use deflate", method)
	}
	out, err := io.ReadAll(io.LimitReader(from, int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is damaged: %w", err)
	case len(out) > limit:
		return nil, fmt.Errorf("it is larger unpacked than is read: at most %d bytes each, %d together, and %d times its packed size", maxEntry, MaxFile, maxRatio)
	}
	return out, nil
}
