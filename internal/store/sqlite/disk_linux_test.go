package sqlite_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// disk is a file system of one folder that does to its files what disks do. What
// was written stays in memory until it is synchronized; a new or removed name,
// until the folder is. When the power goes, of everything else any part is left.
type disk struct {
	fs.Inode
	chance *rand.Rand
	server *fuse.Server
	dir    string
	read   bool // the process that writes also reads

	mu     sync.Mutex
	files  map[string]*diskFile // as programs see them
	names  map[string]*diskFile // that are safe
	power  int                  // writes and synchronizations until it goes; below 0: it stays
	atSync bool                 // then it goes with the next synchronization
	dark   chan struct{}        // closed when it has gone
	left   map[string][]byte    // what is left then
	faults fault
	failed int // how often the fault was met
}

// fault is what goes wrong for as long as it is set.
type fault struct {
	errno  syscall.Errno
	writes bool   // these fail
	grow   bool   // those that make a file longer fail
	syncs  bool   // and these, and what they should have kept is in part lost for ever
	after  int    // the first of them that succeed
	only   string // the file that it is about; empty: all
	times  int    // how often it is met at most; 0: for as long as it is set
}

// diskFile is a file of it.
type diskFile struct {
	fs.Inode
	disk   *disk
	name   string
	data   []byte   // as programs see it
	safe   []byte   // as it is on the disk
	since  []change // what made data of safe
	shared bool     // its content is nobody's after a restart: SQLite's index of the log
}

// mountDisk mounts one with some files, or skips the test.
func mountDisk(t *testing.T, chance *rand.Rand, files map[string][]byte) *disk {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("a disk that fails needs /dev/fuse: %v", err)
	}
	d := &disk{chance: chance, dir: t.TempDir(), files: map[string]*diskFile{}, power: -1, dark: make(chan struct{})}
	for name, content := range files {
		d.files[name] = d.file(name)
		d.files[name].data, d.files[name].safe = slices.Clone(content), slices.Clone(content)
	}
	d.names = maps.Clone(d.files)
	none := time.Duration(0)
	server, err := fs.Mount(d.dir, d, &fs.Options{
		EntryTimeout: &none, AttrTimeout: &none,
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "wattgate-test", Name: "wattgate-test", DisableXAttrs: true},
	})
	if err != nil {
		t.Skipf("a disk that fails needs the right to mount: %v", err)
	}
	d.server = server
	t.Cleanup(d.unmount)
	return d
}

// unmount takes it away, whoever still uses it.
func (d *disk) unmount() {
	if d.server == nil {
		return
	}
	if err := d.server.Unmount(); err != nil {
		_ = syscall.Unmount(d.dir, syscall.MNT_DETACH) // nothing more can be done
	}
	d.server = nil
}

func (d *disk) file(name string) *diskFile {
	return &diskFile{disk: d, name: name, shared: strings.HasSuffix(name, "-shm")}
}

// OnAdd shows the files that are there from the beginning.
func (d *disk) OnAdd(ctx context.Context) {
	for name, f := range d.files {
		d.AddChild(name, d.NewPersistentInode(ctx, f, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	}
}

// Create makes a file, whose name is not safe yet.
func (d *disk) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone() {
		return nil, nil, 0, syscall.EIO
	}
	f := d.file(name)
	d.files[name] = f
	f.attributes(&out.Attr)
	return d.NewPersistentInode(ctx, f, fs.StableAttr{Mode: syscall.S_IFREG}), nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Unlink removes a name, which is not safe yet either.
func (d *disk) Unlink(_ context.Context, name string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone() {
		return syscall.EIO
	}
	delete(d.files, name)
	return 0
}

// OpendirHandle is there for [folder.Fsyncdir].
func (d *disk) OpendirHandle(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return folder{d}, 0, 0
}

type folder struct{ disk *disk }

// Fsyncdir makes names safe.
func (f folder) Fsyncdir(context.Context, uint32) syscall.Errno {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tick(true); d.gone() {
		return syscall.EIO
	}
	if d.meets(d.faults.syncs, ".") {
		return d.faults.errno
	}
	d.names = maps.Clone(d.files)
	return 0
}

// tick counts down to the end of the power.
func (d *disk) tick(sync bool) {
	if d.power > 0 {
		d.power--
	}
	if d.power == 0 && (sync || !d.atSync) && !d.gone() {
		d.left = d.remains()
		close(d.dark)
	}
}

func (d *disk) gone() bool {
	select {
	case <-d.dark:
		return true
	default:
		return false
	}
}

// meets reports whether an act that the fault is about fails with this file.
func (d *disk) meets(about bool, name string) bool {
	f := &d.faults
	if !about || f.errno == 0 || f.only != "" && f.only != name || f.times > 0 && d.failed == f.times {
		return false
	}
	if f.after > 0 {
		f.after--
		return false
	}
	d.failed++
	return true
}

// cut ends the power after so many writes and synchronizations, which are one at
// least; half the time in the middle of a synchronization.
func (d *disk) cut(after int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.power, d.atSync = after, d.chance.IntN(2) == 0
}

// met is how often the fault was met.
func (d *disk) met() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// suffer sets a fault, and returns how often the last one was met.
func (d *disk) suffer(f fault) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	met := d.failed
	d.faults, d.failed = f, 0
	return met
}

// String says what is set up.
func (f fault) String() string {
	what := map[bool]string{true: "synchronizing"}[f.syncs] + map[bool]string{true: "writing"}[f.writes] + map[bool]string{true: "growing"}[f.grow]
	return fmt.Sprintf("%v on %s after %d", f.errno, what, f.after)
}
