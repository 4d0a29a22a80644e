//go:build cgo

// Command bare loads a PKCS#11 module, logs in, signs once and prints the signature:
// as little as can be done, with nothing checked and nothing verified. It is what the
// start of a signing program is measured with.
//
//	bare MODULE TOKEN KEY PIN-FILE rsa|ec
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/miekg/pkcs11"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sha256Info is what RFC 8017 section 9.2 puts before a SHA-256 digest.
const sha256Info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

func run(module, label, key, pinFile, kind string) error {
	digest := sha256.Sum256([]byte("efgsta"))
	typ, data := uint(pkcs11.CKM_ECDSA), digest[:]
	if kind == "rsa" {
		typ, data = pkcs11.CKM_RSA_PKCS, append([]byte(sha256Info), digest[:]...)
	}
	pin, err := os.ReadFile(pinFile)
	if err != nil {
		return err
	}
	ctx := pkcs11.New(module)
	if ctx == nil {
		return errors.New("module does not load")
	}
	if err := ctx.Initialize(); err != nil {
		return err
	}
	slot, err := find(ctx, label)
	if err != nil {
		return err
	}
	s, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return err
	}
	if err := ctx.Login(s, pkcs11.CKU_USER, string(bytes.TrimSpace(pin))); err != nil {
		return err
	}
	if err := ctx.FindObjectsInit(s, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, key)}); err != nil {
		return err
	}
	found, _, err := ctx.FindObjects(s, 1)
	if err != nil {
		return err
	}
	if err := ctx.FindObjectsFinal(s); err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("no such key")
	}
	if err := ctx.SignInit(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, nil)}, found[0]); err != nil {
		return err
	}
	signature, err := ctx.Sign(s, data)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.Write(signature); err != nil {
		return err
	}
	return ctx.Finalize()
}

func find(ctx *pkcs11.Ctx, label string) (uint, error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return 0, err
	}
	for _, slot := range slots {
		if info, err := ctx.GetTokenInfo(slot); err == nil && info.Label == label {
			return slot, nil
		}
	}
	return 0, errors.New("no such token")
}
