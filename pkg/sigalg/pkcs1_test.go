package sigalg

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
)

func TestFromPKCS1(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	want, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FromPKCS1(der); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	for _, bad := range [][]byte{nil, {0x30, 0}, der[:len(der)-1], append(der[:len(der):len(der)], 0), want, {2, 1, 1}} {
		if _, err := FromPKCS1(bad); err == nil {
			t.Errorf("%x is read", bad)
		}
	}
}
