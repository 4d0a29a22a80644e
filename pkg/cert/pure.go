package cert

import (
	"bytes"
	"encoding/pem"
)

// OnlyCertificates reports whether data, from which in was read, is certificates
// and nothing else: DER elements one after the other, or plain PEM blocks with
// white space between them. Such a file can be kept as it came; text beside a
// certificate can hide a private key in more codings than anyone can list.
func (in *Input) OnlyCertificates(data []byte) bool {
	if len(in.Items) == 0 || in.PrivateKey || len(in.Problems) > 0 {
		return false
	}
	for _, item := range in.Items {
		if item.Cert == nil {
			return false
		}
	}
	return in.onlyDER(data) || in.onlyPEM(data)
}

func (in *Input) onlyDER(data []byte) bool {
	for _, item := range in.Items {
		var ok bool
		if data, ok = bytes.CutPrefix(data, item.Cert.Raw); !ok {
			return false
		}
	}
	return len(data) == 0
}

func (in *Input) onlyPEM(data []byte) bool {
	for _, item := range in.Items {
		data = bytes.TrimLeft(data, " \t\r\n")
		if !bytes.HasPrefix(data, []byte("-----BEGIN CERTIFICATE-----")) {
			return false
		}
		block, rest := pem.Decode(data)
		// A block that the decoder passed over shows here as another one's bytes.
		if block == nil || len(block.Headers) > 0 || !bytes.Equal(block.Bytes, item.Cert.Raw) {
			return false
		}
		data = rest
	}
	return len(bytes.TrimSpace(data)) == 0
}
