package domain_test

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

func TestConfirmation(t *testing.T) {
	const thumb = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	for name, c := range map[string]struct {
		given        domain.Confirmation
		bound, valid bool
	}{
		"nothing":          {domain.Confirmation{}, false, true},
		"a key":            {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb}, true, true},
		"a certificate":    {domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: thumb}, true, true},
		"another method":   {domain.Confirmation{Method: "kid", Thumbprint: thumb}, true, false},
		"no method":        {domain.Confirmation{Thumbprint: thumb}, true, false},
		"no thumbprint":    {domain.Confirmation{Method: domain.ConfirmKey}, true, false},
		"31 bytes":         {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb[:42]}, true, false},
		"33 bytes":         {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb + "A"}, true, false},
		"padding":          {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb[:42] + "="}, true, false},
		"spare bits":       {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb[:42] + "J"}, true, false},
		"base64, not url":  {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "/" + thumb[1:]}, true, false},
		"line breaks":      {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb[:41] + "\r\n"}, true, false},
		"beyond ASCII too": {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb[:41] + "é"}, true, false},
	} {
		if got := c.given; got.Bound() != c.bound || got.Valid() != c.valid {
			t.Errorf("%s: %+v is bound %v, valid %v; want %v, %v", name, got, got.Bound(), got.Valid(), c.bound, c.valid)
		}
	}
}
