package customer

import (
	"net/http"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// Submission is what a request asks for.
type Submission struct {
	Key, Reason string
	Format      meterfile.Format
}

// ReadSubmission is readSubmission.
func ReadSubmission(r *http.Request) (Submission, error) {
	s, err := readSubmission(r, maxBatch)
	return Submission{s.key, s.reason, s.format}, err
}
