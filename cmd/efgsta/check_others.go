package main

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// others are the certificates of this run and those of --with.
type others struct {
	index *vet.Index
	first cert.Thumbprint
	met   bool // there is a first
	more  bool // and one that differs, or --with
}

func newOthers(with []vet.Known) others {
	o := others{index: vet.NewPartialIndex(), more: len(with) > 0}
	for _, k := range with {
		o.index.Add(k)
	}
	return o
}

func (o *others) add(in *cert.Input, req vet.Request) {
	for _, it := range in.Items {
		if it.Cert == nil {
			continue
		}
		k := vet.Known{Certificate: it.Cert, Role: req.Role, Country: req.Country, Source: in.File}
		if k.Role == "" {
			k.Role, _ = vet.RoleOf(it.Cert, req.Country)
		}
		if cs := it.Cert.Countries(); k.Country == "" && len(cs) == 1 {
			k.Country = cs[0]
		}
		if len(in.Items) > 1 {
			k.Source = fmt.Sprintf("%s #%d", in.File, it.Index+1)
		}
		o.index.Add(k)
		t := it.Cert.Thumbprint()
		if !o.met {
			o.first, o.met = t, true
		}
		o.more = o.more || t != o.first
	}
}

// known is what each certificate is compared with. A single one has nothing to be
// compared with: nil says so.
func (o *others) known() *vet.Index {
	if !o.more {
		return nil
	}
	return o.index
}
