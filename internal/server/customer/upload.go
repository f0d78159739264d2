package customer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// The bounds on uploads. Each lies in a temporary file while it waits.
const (
	maxBatch        = 256 << 20 // bytes, unpacked: whoever has more sends pieces
	maxUploads      = 16        // at once, those that wait for their turn included
	maxUploadsOfOne = 4         // of one application
	maxUploadsOfAll = 8         // of one partner's applications
	retryUploads    = 5 * time.Second
	leastRate       = 8 << 10          // bytes a second
	patience        = 30 * time.Second // in which that much must come, on average
	maxAnswering    = 15 * time.Second // for an answer to leave
	leastInPatience = leastRate * int64(patience/time.Second)
)

// upload is a body that has come, unpacked, in a file without a name.
type upload struct {
	file   *os.File
	size   int64
	digest [sha256.Size]byte
	conn   *http.ResponseController
	clock  func() time.Time
}

// receive spools the body of a request. What it returns is to be ended in any
// case. A connection without deadlines keeps those of its server.
func (c *counter) receive(w http.ResponseWriter, r *http.Request, asked submission) (*upload, error) {
	u := &upload{conn: http.NewResponseController(w), clock: c.clock}
	_ = u.conn.SetWriteDeadline(time.Time{}) // reading may take longer than an answer
	var err error
	if u.file, err = os.CreateTemp(c.folder, "upload-"); err != nil {
		return u, full(err)
	}
	if err := os.Remove(u.file.Name()); err != nil { // it ends with the process, however that ends
		return u, full(err)
	}
	hash := sha256.New()
	body := &paced{body: r.Body, conn: u.conn, clock: c.clock}
	body.begin()
	u.size, err = meterfile.Unpack(batchName, io.MultiWriter(spool{u.file}, hash), body, asked.packing, c.most)
	if err != nil {
		return u, c.notReceived(err)
	}
	_ = u.conn.SetReadDeadline(time.Time{}) // nothing more comes; while the batch is read, only its end is heard
	hash.Sum(u.digest[:0])
	return u, nil
}

// answering gives the answer its time.
func (u *upload) answering() {
	_ = u.conn.SetWriteDeadline(u.clock().Add(maxAnswering))
}

// end closes the file, which is its end. What has not been read of a refused
// body is waited for as long as for an answer.
func (u *upload) end() {
	u.answering()
	_ = u.conn.SetReadDeadline(u.clock().Add(maxAnswering))
	if u.file != nil {
		_ = u.file.Close() // nobody wants what is in it
	}
}

// notReceived says why a body did not come.
func (c *counter) notReceived(err error) error {
	refusal, ours := errors.AsType[*meterfile.Error](err)
	switch _, isDomain := errors.AsType[*domain.Error](err); {
	case errors.Is(err, meterfile.ErrOversize):
		return tooLong(c.most, err)
	case ours:
		line, _ := intake.RejectionOf(refusal)
		return &misfit{status: http.StatusUnprocessableEntity, rejection: line, err: err}
	case isDomain:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &misfit{
			status: http.StatusRequestTimeout, err: err,
			sentence: fmt.Sprintf("The upload was slower than %d bytes a second for %d seconds.", leastRate, int(patience/time.Second)),
		}
	}
	return &domain.Error{Kind: domain.Invalid, Public: "the body ended early, or is no body", Err: err}
}

func tooLong(most int64, err error) error {
	return &misfit{
		status: http.StatusRequestEntityTooLarge, err: err,
		sentence: fmt.Sprintf("A batch has at most %d bytes, unpacked; send it in pieces.", most),
	}
}

// full is a disk that is.
func full(err error) error {
	return &domain.Error{Kind: domain.Unavailable, Public: "this server cannot keep the upload at the moment", Err: err}
}

// where says of which line a rejection is.
func where(r intake.Rejection) string { return fmt.Sprintf("line %d: %s", r.Line, r.Reason) }

// spool writes, and tells its own failures from those of what it is given.
type spool struct{ file *os.File }

func (s spool) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	if err != nil {
		return n, full(err)
	}
	return n, nil
}

// paced reads a body for as long as it comes fast enough: whenever as much has
// come as the patience asks for, the deadline is put off.
type paced struct {
	body  io.Reader
	conn  *http.ResponseController
	clock func() time.Time
	since int64 // bytes since the deadline was put off
}

func (p *paced) begin() { _ = p.conn.SetReadDeadline(p.clock().Add(patience)) }

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if p.since += int64(n); p.since >= leastInPatience {
		p.since = 0
		p.begin()
	}
	return n, err
}
