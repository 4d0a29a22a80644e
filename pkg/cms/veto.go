package cms

import (
	"bytes"
	"errors"
	"fmt"

	"go.mozilla.org/pkcs7"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Veto re-verifies with go.mozilla.org/pkcs7 where its algorithms cover the
// message (covered false: RSASSA-PSS). An error is a veto, and wraps ErrInvalid.
//
// It runs Verify first: the library reads leniently, and recurses without limit
// on input that Verify refuses.
func Veto(p7 []byte, content []byte, signer *cert.Certificate) (covered bool, err error) {
	info, err := Verify(p7, content, signer)
	if err != nil {
		return false, err
	}
	return veto(info, p7, content, signer, false)
}

// VetoAttached is Veto of a message that carries its content.
func VetoAttached(p7 []byte, signer *cert.Certificate) (covered bool, err error) {
	content, info, err := VerifyAttached(p7, signer)
	if err != nil {
		return false, err
	}
	return veto(info, p7, content, signer, true)
}

func veto(info *Info, p7, content []byte, signer *cert.Certificate, attached bool) (covered bool, err error) {
	if info.Algorithm.Scheme == sigalg.RSAPSS {
		return false, nil
	}
	if err := second(p7, content, signer.Raw, attached); err != nil {
		return true, fmt.Errorf("%w: second verification by go.mozilla.org/pkcs7: %w", ErrInvalid, err)
	}
	return true, nil
}

func second(p7, content, signer []byte, attached bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	msg, err := pkcs7.Parse(p7)
	if err != nil {
		return err
	}
	switch {
	case !attached && len(msg.Content) != 0:
		return errors.New("it sees a content in a detached signature")
	case attached && !bytes.Equal(msg.Content, content):
		return errors.New("it sees another content in the message")
	}
	if only := msg.GetOnlySigner(); only == nil || !bytes.Equal(only.Raw, signer) {
		return errors.New("it does not see exactly the one signer")
	}
	msg.Content = content
	return msg.Verify()
}
