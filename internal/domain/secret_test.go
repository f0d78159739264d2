package domain_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

const canary = "wg_test_canary"

type nested struct {
	Name   string
	hidden domain.Secret // where a plain string type with String() leaks
	Shown  domain.Secret
	Deep   *nested
	List   []domain.Secret
	Any    any
	ByName map[string]domain.Secret
}

func TestASecretCannotBePrinted(t *testing.T) {
	secret := domain.NewSecret(canary)
	inner := nested{hidden: secret, Shown: secret}
	values := map[string]any{
		"by itself":         secret,
		"as a pointer":      &secret,
		"in a struct":       nested{Name: "x", hidden: secret, Shown: secret, Deep: &inner, List: []domain.Secret{secret}, Any: secret, ByName: map[string]domain.Secret{"a": secret}},
		"in a pointer":      &inner,
		"in a list":         []any{secret, &secret, inner},
		"as a map's key":    map[domain.Secret]int{secret: 1},
		"in a channel name": fmt.Errorf("%v", secret),
		"in an error":       &domain.Error{Public: fmt.Sprint(secret), Err: errors.New(fmt.Sprint(inner))},
	}
	for name, v := range values {
		var out []string
		for _, verb := range strings.Split("v +v #v s q x X d o b c U e t p T 10.3s -20v 08d", " ") {
			out = append(out, fmt.Sprintf("%"+verb, v))
		}
		out = append(out, fmt.Sprint(v), fmt.Sprintln(v))
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(h).With("before", v).Info("x", "value", v, slog.Group("group", "inner", v))
		}
		out = append(out, log.String())
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		hex := fmt.Sprintf("%x", canary)
		for _, text := range out {
			if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), hex) || strings.Contains(text, canary[3:]) {
				t.Errorf("%s: printed as %q", name, text)
			}
		}
	}
	if got, err := json.Marshal(secret); err != nil || string(got) != `"[secret]"` {
		t.Errorf("as JSON: got %s, %v", got, err)
	}
	if got := fmt.Sprintf("%+v", secret); got != "[secret]" {
		t.Errorf("printed as %q, want [secret]", got)
	}
}

func TestSecretReveals(t *testing.T) {
	for name, c := range map[string]struct {
		secret domain.Secret
		text   string
		empty  bool
	}{
		"a text":          {domain.NewSecret(canary), canary, false},
		"an empty text":   {domain.NewSecret(""), "", true},
		"the zero Secret": {domain.Secret{}, "", true},
	} {
		if got := c.secret.Reveal(); got != c.text || c.secret.Empty() != c.empty {
			t.Errorf("%s: got %q, empty %t; want %q, %t", name, got, c.secret.Empty(), c.text, c.empty)
		}
	}
}
