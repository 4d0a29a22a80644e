package main

import (
	"bytes"
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
)

// passwordFlag is the password of encrypted PKCS#12 files and zip archives.
type passwordFlag struct{ file string }

func (p *passwordFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&p.file, "password-file", "", "password of PKCS#12 and zip files, from the first line of `FILE` (mode 0600)")
}

// options makes cert.Open open what the file's password opens; without the
// flag, encrypted files stay closed. The caller erases the password.
func (p *passwordFlag) options() (o cert.Options, erase func(), err error) {
	if p.file == "" {
		return o, func() {}, nil
	}
	secret, err := secretFile("--password-file", p.file)
	if err != nil {
		return o, func() {}, err
	}
	o.Password = func() ([]byte, error) { return bytes.Clone(secret), nil }
	return o, func() { clear(secret) }, nil
}

// open reads one file and asks for its password on the terminal unless the flag
// gave it.
func (p *passwordFlag) open(ctx context.Context, a *app, name string, data []byte) (*cert.Input, error) {
	o, erase, err := p.options()
	if err != nil {
		return nil, err
	}
	defer erase()
	var failed error
	if o.Password == nil {
		o.Password = func() ([]byte, error) {
			const hint = "give it with --password-file FILE (mode 0600)"
			secret, err := a.askSecretOr(interrupted(ctx), "password of "+name, hint)
			failed = err
			return secret, err
		}
	}
	in := cert.Open(name, data, o)
	return in, failed
}

// secretFile reads a secret from the first line of a file that nobody else may read.
func secretFile(flag, name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usagef("", "%s: %w", flag, err)
	}
	defer file.Close()
	if st, err := file.Stat(); err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o077 != 0 {
		return nil, usagef("chmod 600 "+name, "%s %s can be read by others (mode %04o)", flag, name, st.Mode().Perm())
	}
	return firstLine(file, flag+" "+name)
}
