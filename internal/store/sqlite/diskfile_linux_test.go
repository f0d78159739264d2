package sqlite_test

import (
	"context"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func (f *diskFile) attributes(out *fuse.Attr) {
	out.Mode, out.Nlink, out.Size = syscall.S_IFREG|0o600, 1, uint64(len(f.data))
	out.Blksize, out.Blocks = 4096, (out.Size+511)/512
}

// Getattr tells the length.
func (f *diskFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.attributes(&out.Attr)
	return 0
}

// Setattr changes the length.
func (f *diskFile) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	errno := syscall.Errno(0)
	if length, ok := in.GetSize(); ok {
		errno = f.change(change{length: int64(length)}, int64(length))
	}
	f.attributes(&out.Attr)
	return errno
}

// Open opens it. Nobody but the kernel changes it, whose pages stay right.
func (f *diskFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Read reads.
func (f *diskFile) Read(_ context.Context, _ fs.FileHandle, to []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.gone() {
		return nil, syscall.EIO
	}
	at = min(at, int64(len(f.data)))
	return fuse.ReadResultData(to[:copy(to, f.data[at:])]), 0
}

// Write writes, into memory only.
func (f *diskFile) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if errno := f.change(change{at, slices.Clone(data), -1}, at+int64(len(data))); errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

// change makes a change that is not safe, after which the file is this long at
// least.
func (f *diskFile) change(c change, end int64) syscall.Errno {
	d := f.disk
	f.since = append(f.since, c) // of what is under way when the power goes, a part may be left
	if !f.shared {               // this one the kernel writes whenever it likes
		d.tick(false)
	}
	switch {
	case d.gone():
		return syscall.EIO
	case d.meets(d.faults.writes && !f.shared || d.faults.grow && end > int64(len(f.data)), f.name):
		f.since = f.since[:len(f.since)-1]
		return d.faults.errno
	}
	f.data = c.apply(f.data)
	return 0
}

// Fsync makes all of it safe. Where it fails, the kernel takes what was written
// for safe from then on, and some of it is not.
func (f *diskFile) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tick(true); d.gone() {
		return syscall.EIO
	}
	if d.meets(d.faults.syncs, f.name) {
		f.safe, f.since = f.remains(0.5), nil
		return d.faults.errno
	}
	for _, c := range f.since {
		f.safe = c.apply(f.safe)
	}
	f.since = nil
	return 0
}

// Flush is what closing a file does: nothing.
func (f *diskFile) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }
