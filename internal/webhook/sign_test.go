package webhook_test

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/webhook"
)

// The expected values were made with Python's hmac and hashlib.
func TestSignatures(t *testing.T) {
	const key = "whsec_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	at := time.Unix(1780000000, 999_000_000)
	for body, want := range map[string]struct{ legacy, signature string }{
		"": {
			"gopIO+BVu12L99QgsAfZsNlq7S6zWpIdvBxXiSmIE0I=",
			"t=1780000000,v1=bdcd65bdd7d7e9ed535635ca16be2a87f45041db1826eb7702d779984f1ac16d",
		},
		`{"id":"evt_1","type":"test"}`: {
			"/Lzr71N0yht5q6revJgnQPFUBxqJUTcHCMV8uO3XTU0=",
			"t=1780000000,v1=406a98233095e0cb6b1e59b9c2c90b8a880fea65876078592076273168feba45",
		},
	} {
		if got := webhook.Legacy(key, []byte(body)); got != want.legacy {
			t.Errorf("%q: the older signature is %s, want %s", body, got, want.legacy)
		}
		if got := webhook.Signature(key, at, []byte(body)); got != want.signature {
			t.Errorf("%q: the signature is %s, want %s", body, got, want.signature)
		}
	}
}
