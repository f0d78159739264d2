package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// TestMain lets the test binary be the wattgate of the stories: the same
// program, with a clock that a story can move.
func TestMain(m *testing.M) {
	testscript.Main(ending{m}, map[string]func(){"wattgate": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], world{now: storyClock, in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}))
	}, "importing": importing})
}

// ending ends the database server that stories have shared.
type ending struct{ *testing.M }

// Run runs all tests.
func (e ending) Run() int {
	defer postgrestest.Stop()
	return e.M.Run()
}

// storyClock is the real time, moved by what the story wrote into its file.
func storyClock() time.Time { return storyTime(os.Getenv("STORY_CLOCK")) }

func storyTime(file string) time.Time {
	text, err := os.ReadFile(file)
	if err != nil {
		return time.Now()
	}
	offset, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		panic(err)
	}
	return time.Now().Add(offset)
}

// TestStories runs testdata/script: the real server on a free port, driven by
// the real command line, curl and python3.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("..", "..", "testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("STORY_CLOCK", filepath.Join(e.WorkDir, "clock"))
			dir, err := meterFiles()
			e.Setenv("STORY_DATA", dir)
			e.Setenv("HOME", e.WorkDir)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready":      ready,
			"assertion":  assertion,
			"certify":    certify,
			"clientcert": clientcert,
			"keypair":    keypair,
			"proof":      proof,
			"capture":    capture,
			"same":       same,
			"terminate":  terminate,
			"waitfor":    waitfor,
			"database": func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) != 1 {
					ts.Fatalf("usage: database VARIABLE")
				}
				ts.Setenv(args[0], postgrestest.URL(t))
			},
		},
		Condition:           condition,
		RequireExplicitExec: true,
	})
}

// meterFiles returns the folder of real meter files, or "" where there is none.
func meterFiles() (string, error) {
	dir := os.Getenv("WATTGATE_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); err != nil {
		return "", nil
	}
	return abs, nil
}

// condition answers [has:X]: is X, which the story drives, on this machine? A
// story skips itself with a sentence where it is not; where nothing may be
// skipped (CI=true) that is a failure.
func condition(name string) (bool, error) {
	what, ok := strings.CutPrefix(name, "has:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	var err error
	switch what {
	case "requests":
		err = exec.Command("/usr/bin/python3", "-c", "import requests").Run()
	case "postgres":
		if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) == 0 {
			_, err = exec.LookPath("postgres")
		}
	case "python3":
		_, err = os.Stat("/usr/bin/python3")
	case "data":
		if dir, _ := meterFiles(); dir == "" {
			err = errors.New("no folder ../shared/data and no WATTGATE_TEST_DATA")
		}
	default:
		_, err = exec.LookPath(what)
	}
	if err != nil && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("%s is missing (%w), and with CI=true nothing is skipped", what, err)
	}
	return err == nil, nil
}

// ready waits until the server has written its env file and takes its lines
// into the story's environment.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	waitfor(ts, neg, args)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		ts.Setenv(name, value)
	}
}

// waitfor FILE [REGEXP] waits until there is such a file, with such content.
func waitfor(ts *testscript.TestScript, neg bool, args []string) {
	path, content := ts.MkAbs(args[0]), regexp.MustCompile(strings.Join(args[1:], " "))
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil && content.Match(text) || err != nil && len(args) == 1 && there(path) {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("%s was not there within 30 s", strings.Join(args, " "))
		case <-tick.C:
		}
	}
}

// there reports whether there is anything at a path, such as a socket.
func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// capture NAME FILE REGEXP sets NAME to the first group of the match in a file,
// which may be stdout or stderr.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: capture NAME FILE REGEXP")
	}
	m := regexp.MustCompile("(?m)" + args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if m == nil {
		ts.Fatalf("%s does not match %s:\n%s", args[1], args[2], ts.ReadFile(args[1]))
	}
	ts.Setenv(args[0], m[1])
}

// certify CERT KEY writes a certificate for 127.0.0.1 that signs itself.
func certify(ts *testscript.TestScript, neg bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: certificate}, {Type: "PRIVATE KEY", Bytes: private}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(block), 0o600))
	}
}

// terminate asks every server of the story to stop, as an operator's service
// manager does. The command wait follows it.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

// same FILE FILE... demands that files are the same byte for byte.
func same(ts *testscript.TestScript, neg bool, args []string) {
	first := ts.ReadFile(args[0])
	for _, other := range args[1:] {
		if got := ts.ReadFile(other); (got == first) == neg {
			ts.Fatalf("%s and %s: equal is %v\n%q\n%q", args[0], other, got == first, first, got)
		}
	}
}

// TestEveryStepOfTheManuals demands that each number of the two source manuals
// is named by a line of a story, or of a test in a real browser.
func TestEveryStepOfTheManuals(t *testing.T) {
	named := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	inBrowser, err := filepath.Glob(filepath.Join("..", "..", "test", "browser", "*_test.go"))
	if err != nil || len(inBrowser) == 0 {
		t.Fatalf("no tests in a browser: %v", err)
	}
	comment := map[string]string{".txtar": "# ", ".go": "// "}
	number := regexp.MustCompile(`\b[EK][0-9]{1,2}\b`)
	for _, file := range append(files, inBrowser...) {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan() && !strings.HasPrefix(lines.Text(), "-- "); {
			if heading, ok := strings.CutPrefix(lines.Text(), comment[filepath.Ext(file)]); ok {
				before, _, _ := strings.Cut(heading, ":")
				for _, n := range number.FindAllString(before, -1) {
					named[n] = true
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, last := range map[string]int{"E": 26, "K": 21} {
		for i := 1; i <= last; i++ {
			if n := fmt.Sprint(prefix, i); !named[n] {
				t.Errorf("%s is named by no story", n)
			}
		}
	}
}
