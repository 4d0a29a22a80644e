//go:build cgo

// Command once opens a key in a token through pkg/hsm as efgsta does, signs once and
// prints the signature, which was verified. Its start is held against that of bare,
// which checks nothing.
//
//	once MODULE TOKEN KEY PIN-FILE rsa|ec
package main

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/efgsta/efgsta/pkg/hsm"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(module, label, key, pinFile string) (err error) {
	hsm.GuardCrashes("the module crashed\n", 3)
	s, err := hsm.Open(hsm.Config{
		Module: module,
		URI:    hsm.URI{Token: label, Object: key},
		PIN:    func(string) ([]byte, error) { return os.ReadFile(pinFile) },
	}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	digest := sha256.Sum256([]byte("efgsta"))
	signature, err := s.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signature)
	return err
}
