// Package cost answers one question: what does a process cost the machine?
//
// It reads Linux's process accounting. On a system without /proc every answer
// is an error, which a report prints as "not available".
package cost

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of the times in /proc/PID/stat. USER_HZ is 100 on every
// architecture that Go's Linux ports run on.
const tick = time.Second / 100

// CPU is the processor time that a process has used, in user and in kernel
// mode, all its threads together.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("cost: %w", err)
	}
	return ParseStat(text)
}

// ParseStat reads utime + stime, fields 14 and 15 of proc_pid_stat(5). The
// second field is the program's name in parentheses and may itself hold spaces
// and parentheses: what counts begins after the last one.
func ParseStat(text []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return 0, errors.New("cost: stat has no program name")
	}
	fields := bytes.Fields(text[end+1:]) // from field 3, the state
	if len(fields) < 13 {
		return 0, fmt.Errorf("cost: stat has %d fields after the name, want 13 or more", len(fields))
	}
	var ticks uint64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(string(field), 10, 40)
		if err != nil {
			return 0, fmt.Errorf("cost: stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// Resident is the memory of a process that is in RAM (VmRSS), in bytes.
func Resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("cost: %w", err)
	}
	return ParseStatus(text)
}

// ParseStatus reads the line "VmRSS:  1234 kB" of proc_pid_status(5) and
// returns bytes.
func ParseStatus(text []byte) (int64, error) {
	for line := range bytes.Lines(text) {
		value, ok := bytes.CutPrefix(line, []byte("VmRSS:"))
		if !ok {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			return 0, fmt.Errorf("cost: status line %.60q", line)
		}
		kilobytes, err := strconv.ParseUint(string(fields[0]), 10, 50)
		if err != nil {
			return 0, fmt.Errorf("cost: status: %w", err)
		}
		return int64(kilobytes) << 10, nil
	}
	return 0, errors.New("cost: status has no VmRSS")
}

// Written is how many bytes a process has had written to the disk.
func Written(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, fmt.Errorf("cost: %w", err)
	}
	return ParseIO(text)
}

// ParseIO reads the line "write_bytes: 1234" of proc_pid_io(5).
func ParseIO(text []byte) (int64, error) {
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("write_bytes:")); ok {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 62)
			if err != nil {
				return 0, fmt.Errorf("cost: io: %w", err)
			}
			return int64(n), nil
		}
	}
	return 0, errors.New("cost: io has no write_bytes")
}

// Model is the processor's name in /proc/cpuinfo, or "unknown processor".
func Model() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && string(bytes.TrimSpace(name)) == "model name" {
			return string(bytes.TrimSpace(value))
		}
	}
	return "unknown processor"
}
