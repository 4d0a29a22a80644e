//go:build conformance

package vet

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sameQuestion are rules of ours and lints of zlint that ask the same: on every
// certificate that zlint can read both fire, or neither does.
var sameQuestion = []struct{ ours, lints string }{
	{"EFGS-404", "w_ext_key_usage_not_critical"},
	{"EFGS-801", "e_invalid_certificate_version e_cert_extensions_version_not_3"},
	{"EFGS-802", "e_serial_number_not_positive"},
	{"EFGS-803", "e_serial_number_longer_than_20_octets"},
	{"EFGS-805", "e_cert_sig_alg_not_match_tbs_sig_alg"},
	{"EFGS-807", "e_issuer_field_empty"},
	{"EFGS-809", "e_validity_time_not_positive"},
	{"EFGS-810", "e_utc_time_not_in_zulu e_utc_time_does_not_include_seconds e_wrong_time_format_pre2050 " +
		"e_generalized_time_does_not_include_seconds e_generalized_time_includes_fraction_seconds e_generalized_time_not_in_zulu"},
	{"EFGS-811", "e_ext_duplicate_extension"},
	{"EFGS-815", "e_cert_contains_unique_identifier"},
	{"EFGS-816", "e_ext_key_usage_without_bits e_incorrect_ku_encoding e_superfluous_ku_encoding"},
	{"EFGS-902", "w_rsa_mod_factors_smaller_than_752"},
}

// seenToo are lints whose every finding one of these rules of ours finds too. Ours ask
// for more (cRLSign, XX and AN as countries, the issuer's text, RSA keys under another
// OID), or put the same under another rule: a key usage that cannot be read.
var seenToo = map[string]string{
	// RFC 5280 and the RFCs that amend it: each lint that fires on one of our certificates is here.
	"e_cert_contains_unique_identifier":                 "EFGS-815",
	"e_cert_extensions_version_not_3":                   "EFGS-801",
	"e_cert_sig_alg_not_match_tbs_sig_alg":              "EFGS-805",
	"e_ecdsa_allowed_ku":                                "EFGS-403",
	lintAuthorityKeyID:                                  "EFGS-829",
	"e_ext_duplicate_extension":                         "EFGS-811",
	"e_ext_key_usage_cert_sign_without_ca":              "EFGS-821",
	"e_ext_key_usage_without_bits":                      "EFGS-813 EFGS-816",
	"e_ext_san_dns_name_too_long":                       "EFGS-409",
	"e_ext_san_empty_name":                              "EFGS-827",
	"e_ext_san_not_critical_without_subject":            "EFGS-828",
	"e_ext_san_space_dns_name":                          "EFGS-827",
	"e_ext_san_uri_format_invalid":                      "EFGS-827",
	"e_ext_san_uri_host_not_fqdn_or_ip":                 "EFGS-827",
	"e_ext_san_uri_relative":                            "EFGS-827",
	"e_incorrect_ku_encoding":                           "EFGS-813 EFGS-816",
	"e_issuer_field_empty":                              "EFGS-807",
	"e_key_usage_and_extended_key_usage_inconsistent":   "EFGS-403 EFGS-821",
	"e_key_usage_incorrect_length":                      "EFGS-813",
	"e_path_len_constraint_improperly_included":         "EFGS-813 EFGS-820 EFGS-822",
	"e_rfc_dnsname_empty_label":                         "EFGS-409",
	"e_rfc_dnsname_hyphen_in_sld":                       "EFGS-409",
	"e_rfc_dnsname_label_too_long":                      "EFGS-409",
	"e_serial_number_longer_than_20_octets":             "EFGS-803",
	"e_serial_number_not_positive":                      "EFGS-802",
	"e_spki_rsa_encryption_parameter_not_null":          "EFGS-901",
	"e_subject_common_name_max_length":                  "EFGS-824",
	"e_subject_dn_country_not_printable_string":         "EFGS-303",
	"e_subject_dn_not_printable_characters":             "EFGS-823 EFGS-826",
	"e_subject_email_max_length":                        "EFGS-824",
	"e_subject_empty_without_san":                       "EFGS-808",
	"e_subject_locality_name_max_length":                "EFGS-824",
	"e_subject_printable_string_badalpha":               "EFGS-303 EFGS-823",
	"e_superfluous_ku_encoding":                         "EFGS-813 EFGS-816",
	"e_tbs_signature_rsa_encryption_parameter_not_null": "EFGS-806",
	"e_utc_time_does_not_include_seconds":               "EFGS-810",
	"e_utc_time_not_in_zulu":                            "EFGS-810",
	"e_wrong_time_format_pre2050":                       "EFGS-810",
	"n_ecdsa_ee_invalid_ku":                             "EFGS-403 EFGS-821",
	"w_ext_key_usage_not_critical":                      "EFGS-404",
	"w_ext_subject_key_identifier_missing_sub_cert":     "EFGS-829",
	"w_rfc_dnsname_underscore_in_trd":                   "EFGS-409",
	// Others', where ours ask the same of a TLS certificate or of any.
	"e_cert_policy_ov_requires_country":             "EFGS-301",
	"e_dnsname_bad_character_in_label":              "EFGS-409",
	"e_dnsname_empty_label":                         "EFGS-409",
	"e_dnsname_label_too_long":                      "EFGS-409",
	"e_ec_improper_curves":                          "EFGS-110 EFGS-111",
	"e_ext_san_contains_reserved_ip":                "EFGS-411",
	"e_ext_san_missing":                             "EFGS-409",
	"e_ext_san_other_name_present":                  "EFGS-411",
	"e_ext_san_rfc822_name_present":                 "EFGS-411",
	"e_rsa_fermat_factorization":                    "EFGS-903",
	"e_sub_cert_certificate_policies_missing":       "EFGS-413",
	"e_sub_cert_country_name_must_appear":           "EFGS-301",
	"e_sub_cert_key_usage_crl_sign_bit_set":         "EFGS-821",
	"e_sub_cert_not_is_ca":                          "EFGS-820",
	"e_subject_common_name_not_from_san":            "EFGS-409 EFGS-410",
	"e_subject_country_not_iso":                     "EFGS-304",
	"e_rsa_public_exponent_not_odd":                 "EFGS-103",
	"w_rsa_mod_not_odd":                             "EFGS-901",
	"w_rsa_public_exponent_not_in_range":            "EFGS-103 EFGS-104",
	"w_subject_dn_leading_whitespace":               "EFGS-826",
	"w_subject_dn_trailing_whitespace":              "EFGS-826",
	"e_ext_san_uniform_resource_identifier_present": "EFGS-411",
}

// lintAuthorityKeyID fires on self-issued certificates too, where RFC 5280 4.2.1.1 lets the field be left out.
const lintAuthorityKeyID = "e_ext_authority_key_identifier_no_key_identifier"

// realZlint is the zlint that `make conformance` builds.
func realZlint(t *testing.T) func(der []byte, args ...string) ([]byte, error) {
	t.Helper()
	path, err := filepath.Abs("../../bin/tools/zlint")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath(path); err != nil {
		t.Fatalf("%v: make conformance builds it", err)
	}
	return func(der []byte, args ...string) ([]byte, error) {
		cmd := exec.Command(path, args...)
		cmd.Stdin = bytes.NewReader(der)
		return cmd.Output()
	}
}

// zlintSays is what zlint and we find in one certificate.
type zlintSays struct {
	what    string
	role    Role
	self    bool // self-issued
	results map[string]zlintResult
	ours    []Finding
}

func (s zlintSays) lintFires(name string) bool {
	return slices.Contains([]string{"info", "warn", "error", "fatal"}, s.results[name].Result)
}

// rule is whether a rule of ours fails by more than a notice, and whether it was not evaluated.
func (s zlintSays) rule(id string) (fails, open bool) {
	for _, f := range s.ours {
		if f.ID == id {
			fails = fails || f.Status == StatusFail && f.Severity != SeverityNotice
			open = open || f.Status == StatusNotEvaluated
		}
	}
	return fails, open
}

// zlint and we agree on every certificate of the tables beside vectors_test.go, where
// they ask the same; and what its lints on RFC 5280 find, ours find.
func TestZlintAgrees(t *testing.T) {
	zlint := realZlint(t)
	list, err := zlint(nil, "-list-lints-json")
	if err != nil {
		t.Fatal(err)
	}
	z, err := NewZlint("zlint", list, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := defaultEngine(t)
	var all []zlintSays
	mute, accepted := 0, 0
	for id, vs := range allVectors() {
		if id == ruleZlintCABF || id == ruleZlintRFC {
			continue // one good certificate, over and over
		}
		for _, v := range slices.Concat(vs.good, vs.bad, vs.open, vs.skipped) {
			req := v.request(t)
			s := zlintSays{what: id + " " + v.what, role: req.Role, self: req.Certificate.SelfIssued()}
			out, err := zlint(req.Certificate.Raw, "-format", "der")
			res := e.Vet(req)
			if err != nil {
				mute++
				if res.Verdict == VerdictAccepted {
					accepted++
				}
				continue
			}
			if err := json.Unmarshal(out, &s.results); err != nil {
				t.Fatalf("%s: %v", s.what, err)
			}
			s.ours = res.Findings
			all = append(all, s)
		}
	}
	t.Logf("%d certificates; on %d more zlint has no verdict, of which %d are accepted", len(all), mute, accepted)
	if len(all) < 500 {
		t.Errorf("only %d certificates", len(all))
	}
	for _, same := range sameQuestion {
		compareBoth(t, same.ours, strings.Fields(same.lints), all)
	}
	compareSeen(t, z, e, all)
}

func compareBoth(t *testing.T, id string, lints []string, all []zlintSays) {
	t.Helper()
	both, neither := 0, 0
	for _, s := range all {
		lint, asked := false, false
		for _, name := range lints {
			r, known := s.results[name]
			if !known {
				t.Fatalf("zlint has no lint %s", name)
			}
			lint = lint || s.lintFires(name)
			asked = asked || r.Result != "NA" && r.Result != "NE"
		}
		ours, open := s.rule(id)
		switch {
		case open || !asked:
		case ours != lint:
			t.Errorf("%s: %s fails: %v; zlint says so (%s): %v", s.what, id, ours, strings.Join(lints, " "), lint)
		case ours:
			both++
		default:
			neither++
		}
	}
	if both == 0 || neither < 20 {
		t.Errorf("%s: %d certificates fail here and there, %d neither: too few to tell", id, both, neither)
	}
}

// compareSeen: what a lint finds we find too. A lint on RFC 5280 that fires must be in the table.
func compareSeen(t *testing.T, z *Zlint, e *Engine, all []zlintSays) {
	t.Helper()
	seen := map[string]int{}
	for _, s := range all {
		for name := range s.results {
			ids, known := seenToo[name]
			if !s.lintFires(name) || s.self && name == lintAuthorityKeyID {
				continue
			}
			if !known {
				if slices.ContainsFunc(z.families[ruleZlintRFC], func(l lint) bool { return l.Name == name }) {
					t.Errorf("%s: zlint says %s, of which nothing is known here", s.what, name)
				}
				continue
			}
			seen[name]++
			found, asked := false, false
			for _, id := range strings.Fields(ids) {
				asked = asked || severityFor(e.policy.Rules[id], s.role) != "off"
				found = found || slices.ContainsFunc(s.ours, func(f Finding) bool { return f.ID == id })
			}
			if asked && !found {
				t.Errorf("%s as %s: zlint says %s, and we none of %s", s.what, s.role, name, ids)
			}
		}
	}
	for name := range seenToo {
		if seen[name] == 0 {
			t.Errorf("no certificate has %s: the line says nothing", name)
		}
	}
}
