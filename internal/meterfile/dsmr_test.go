package meterfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// telegram ends lines as a meter does, and adds the checksum.
func telegram(lines ...string) string {
	text := "/XMX5TEST\r\n\r\n"
	for _, line := range lines {
		text += line + "\r\n"
	}
	text += "!"
	return fmt.Sprintf("%s%04X\r\n", text, checksum(text))
}

// checksum is CRC-16/ARC by its definition: the remainder of the bits, the
// lowest of each byte first, after division by the polynomial.
func checksum(text string) uint16 {
	var sum uint32
	for _, c := range []byte(text) {
		for bit := range 8 {
			top := sum>>15&1 ^ uint32(c>>bit)&1
			sum = sum << 1 & 0xFFFF
			if top == 1 {
				sum ^= 0x8005
			}
		}
	}
	var mirrored uint16
	for bit := range 16 {
		mirrored |= uint16(sum>>bit&1) << (15 - bit)
	}
	return mirrored
}

// The lines of a telegram of DSMR 5.
const (
	dsmrVersion = "1-3:0.2.8(50)"
	dsmrTime    = "0-0:1.0.0(240601120007S)"
	dsmrMeter   = "0-0:96.1.1(4530303434)"
	dsmrLow     = "1-0:1.8.1(000123.456*kWh)"
	dsmrGas     = "0-1:24.1.0(003)\r\n0-1:96.1.0(4730)\r\n0-1:24.2.1(240601115500S)(00246.138*m3)"
)

func TestDSMR(t *testing.T) {
	const low = "4 2024-06-01T10:00:07Z NLD_ELECTRICITY:4530303434 1.8.1 CONSUMPTION kwh 0 [123.456] [ACTUAL]"
	tests := map[string]struct {
		content string
		want    []string
	}{
		"electricity and gas": {
			telegram(dsmrVersion, dsmrTime, dsmrMeter, dsmrLow, "1-0:2.8.2(000000.000*kWh)", "1-0:1.7.0(00.244*kW)", dsmrGas),
			[]string{
				"6 2024-06-01T10:00:07Z NLD_ELECTRICITY:4530303434 1.8.1 CONSUMPTION kwh 0 [123.456] [ACTUAL]",
				"7 2024-06-01T10:00:07Z NLD_ELECTRICITY:4530303434 2.8.2 GENERATION kwh 0 [0.000] [ACTUAL]",
				"11 2024-06-01T09:55:00Z NLD_GAS:4730 24.2.1 CONSUMPTION m3 0 [246.138] [ACTUAL]",
			},
		},
		"the same hour in summer and in winter": {
			telegram("0-0:1.0.0(241027021500S)", dsmrMeter, dsmrLow) + "\r\n" + telegram("0-0:1.0.0(241027021500W)", dsmrMeter, dsmrLow),
			[]string{
				"5 2024-10-27T00:15:00Z NLD_ELECTRICITY:4530303434 1.8.1 CONSUMPTION kwh 0 [123.456] [ACTUAL]",
				"12 2024-10-27T01:15:00Z NLD_ELECTRICITY:4530303434 1.8.1 CONSUMPTION kwh 0 [123.456] [ACTUAL]",
			},
		},
		"lines that end as Unix does": {
			strings.ReplaceAll(telegram(dsmrMeter, dsmrLow, dsmrTime), "\r\n", "\n"), []string{low},
		},
		"gas before DSMR 4: no checksum, no letter": {
			"/XMX5TEST\r\n\r\n0-1:96.1.0(3232)\r\n0-1:24.1.0(03)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!\r\n",
			[]string{"6 2009-02-12T15:00:00Z NLD_GAS:3232 24.2.1 CONSUMPTION m3 0 [1.001] [ACTUAL]"},
		},
		"Belgium, with water": {
			telegram("0-0:96.1.4(50217)", dsmrMeter, dsmrTime, "1-0:1.8.1(000123.456*kWh)", strings.Replace(dsmrGas, "24.2.1", "24.2.3", 1), strings.ReplaceAll(strings.Replace(dsmrGas, "003", "007", 1), "0-1:", "0-2:")),
			[]string{
				"6 2024-06-01T10:00:07Z BEL_ELECTRICITY:4530303434 1.8.1 CONSUMPTION kwh 0 [123.456] [ACTUAL]",
				"9 2024-06-01T09:55:00Z BEL_GAS:4730 24.2.3 CONSUMPTION m3 0 [246.138] [ACTUAL]",
			},
		},
		"Hungary, and watt hours": {
			telegram(dsmrTime, "0-0:42.0.0(5341)", "0-0:96.1.0(3839)", "1-0:1.8.0(006545766*Wh)"),
			[]string{"6 2024-06-01T10:00:07Z HUN_ELECTRICITY:3839 1.8.0 CONSUMPTION wh 0 [6545766] [ACTUAL]"},
		},
		"places where no gas meter is": {
			telegram(dsmrMeter, dsmrLow, dsmrTime, "0-1:24.1.0(003)", "0-1:96.1.0()", "0-1:24.2.1(700101010000W)(00000000)", "0-2:24.1.0(003)", "0-2:96.1.0()"), []string{low},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.txt", test.content)
			if got := briefs(runs); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got  %q and error %v\nwant %q", got, err, test.want)
			}
		})
	}
}

func TestDSMRRefusals(t *testing.T) {
	const wantIndex = "want a number of at most 18 digits, 9 of them decimal places that is not negative, and a unit, got "
	good := telegram(dsmrTime, dsmrMeter, dsmrLow)
	gas := func(from, to string) string { return telegram(strings.Replace(dsmrGas, from, to, 1)) }
	tests := map[string]struct{ content, want string }{
		"a changed digit":                 {strings.Replace(good, "123.456", "123.457", 1), fmt.Sprintf(`6: field checksum: want %04X, as the telegram adds up, got "%04X"`, checksum(strings.Replace(good[:len(good)-6], "123.456", "123.457", 1)), checksum(good[:len(good)-6]))},
		"no checksum":                     {good[:len(good)-6] + "\r\n", `6: field checksum: want four hexadecimal digits, which telegrams since DSMR 4 have, got nothing`},
		"a checksum of five":              {good[:len(good)-2] + "0\r\n", fmt.Sprintf(`6: field checksum: want four hexadecimal digits, got "%04X0"`, checksum(good[:len(good)-6]))},
		"a telegram that is cut off":      {good[:strings.Index(good, "!")], `6: field telegram: want ! and the checksum, which end a telegram, got the end of the file; it may have been cut off`},
		"a second one that is cut off":    {good + good[:20], `9: field object: want a name and values in parentheses, such as 1-0:1.8.1(000001.000*kWh), got "0-0:1.0"`},
		"something between two":           {good + "x\r\n" + good, `7: field telegram: want / and the meter's type, which begin a telegram, got "x"`},
		"a telegram in a telegram":        {"/X\r\n" + good, `2: field object: want a name and values in parentheses, such as 1-0:1.8.1(000001.000*kWh), got "/XMX5TEST"`},
		"a time that spring skips":        {telegram("0-0:1.0.0(240331023000W)", dsmrMeter, dsmrLow), `3: field time: want a time that exists in Europe/Amsterdam, got "240331023000W"`},
		"summer time in winter":           {telegram("0-0:1.0.0(240101120000S)", dsmrMeter, dsmrLow), `3: field time: want a time that exists in Europe/Amsterdam, got "240101120000S"`},
		"winter time in summer":           {telegram("0-0:1.0.0(240601120000W)", dsmrMeter, dsmrLow), `3: field time: want a time that exists in Europe/Amsterdam, got "240601120000W"`},
		"another letter":                  {telegram("0-0:1.0.0(240601120000X)", dsmrMeter, dsmrLow), `3: field time: want an existing time as YYMMDDhhmmss and W or S, got "240601120000X"`},
		"a day that is none":              {telegram("0-0:1.0.0(240631120000S)", dsmrMeter, dsmrLow), `3: field time: want an existing time as YYMMDDhhmmss and W or S, got "240631120000S"`},
		"a time that comes twice":         {telegram("0-0:1.0.0(241027021500)", dsmrMeter, dsmrLow), `3: field time: want a time that comes once, as no W or S says which of two it is, got "241027021500"`},
		"no time":                         {telegram(dsmrMeter, dsmrLow), `5: field 0-0:1.0.0: want the time of the telegram; those before DSMR 4 do not say when their electricity was read, got no such object`},
		"no meter":                        {telegram(dsmrTime, dsmrLow), `5: field 0-0:96.1.1: want the equipment identifier of the meter, 1 to 64 hexadecimal digits, got nothing`},
		"a meter that is no number":       {telegram(dsmrTime, "0-0:96.1.1(K8EG)", dsmrLow), `6: field 0-0:96.1.1: want the equipment identifier of the meter, 1 to 64 hexadecimal digits, got "K8EG"`},
		"nothing of use":                  {telegram(dsmrTime, dsmrMeter), `5: field telegram: want at least one register of electricity (1.8, 2.8) or of a gas meter (24.2), got none`},
		"a repeated register":             {telegram(dsmrTime, dsmrMeter, dsmrLow, dsmrLow), `6: field 1.8.1: want each register once in a telegram, got a repeated register: "000123.456*kWh"`},
		"two times":                       {telegram(dsmrTime, dsmrTime), `4: field object: want each object once in a telegram, got "240601120007S" once more`},
		"an empty unit":                   {telegram(dsmrTime, dsmrMeter, "1-0:1.8.1(1)"), `5: field 1.8.1: want a number of kWh or Wh, got "1"`},
		"an unknown unit":                 {telegram(dsmrTime, dsmrMeter, "1-0:1.8.1(1*MWh)"), `5: field 1.8.1: want a number of kWh or Wh, got "1*MWh"`},
		"a negative index":                {telegram(dsmrTime, dsmrMeter, "1-0:1.8.1(-1*kWh)"), `5: field 1.8.1: ` + wantIndex + `"-1*kWh"`},
		"NaN":                             {telegram(dsmrTime, dsmrMeter, "1-0:1.8.1(NaN*kWh)"), `5: field 1.8.1: ` + wantIndex + `"NaN*kWh"`},
		"10^30":                           {telegram(dsmrTime, dsmrMeter, "1-0:1.8.1(1000000000000000000000000000000*kWh)"), `5: field 1.8.1: ` + wantIndex + `"1000000000000000000000000000000*kWh"`},
		"heat for gas":                    {gas("*m3", "*GJ"), `5: field 24.2.1: want a number of m3, got "00246.138*GJ"`},
		"gas without a value":             {gas("(00246.138*m3)", ""), `5: field 24.2.1: ` + wantIndex + `nothing`},
		"gas of no kind":                  {gas("0-1:24.1.0(003)\r\n", ""), `4: field 24.1.0: want what kind of device it is, 003 for a gas meter, got no such object`},
		"gas of an unreadable meter":      {gas("4730", "xyz"), `4: field 96.1.0: want the equipment identifier of the meter, 1 to 64 hexadecimal digits, got "xyz"`},
		"gas, and its line below missing": {telegram("0-1:96.1.0(3232)\r\n0-1:24.1.0(03)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)", dsmrMeter), `5: field 24.2.1: ` + wantIndex + `nothing`},
		"values of nothing":               {telegram("(00001.001)"), `3: field object: want a name before the values, got "(00001.001)"`},
		"no parentheses":                  {telegram("1-0:1.8.1"), `3: field object: want a name and values in parentheses, such as 1-0:1.8.1(000001.000*kWh), got "1-0:1.8.1"`},
		"a telegram without an end":       {"/X\r\n" + strings.Repeat("\r\n", 2000), `1001: field telegram: want at most 1000 lines, got more`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, "f.txt", test.content)
			refusal(t, err, "f.txt:"+test.want)
		})
	}
}

// TestDSMRIsWhole: a telegram whose checksum is wrong gives nothing.
func TestDSMRIsWhole(t *testing.T) {
	good := telegram(dsmrTime, dsmrMeter, dsmrLow)
	runs, err := read(t, "f.txt", good+strings.Replace(good, "123.456", "923.456", 1))
	if err == nil || len(runs) != 1 || runs[0].Values[0] != "123.456" {
		t.Errorf("got %+v and error %v, want the first telegram's register and the second one refused", runs, err)
	}
}

// FuzzDSMR holds the reader to this: it never panics, a block is always as its
// documentation says, and whatever is taken reads the same a second time.
func FuzzDSMR(f *testing.F) {
	f.Add(telegram(dsmrVersion, dsmrTime, dsmrMeter, dsmrLow, dsmrGas) + telegram(dsmrTime, dsmrMeter, "1-0:2.8.0(1*Wh)"))
	f.Add("/X\r\n\r\n0-1:96.1.0(3232)\r\n0-1:24.1.0(03)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!\r\n")
	f.Fuzz(func(t *testing.T, content string) {
		// The fuzzer cannot guess a checksum: the lines get theirs here.
		twice(t, meterfile.DSMR, content)
		twice(t, meterfile.DSMR, telegram(strings.Split(content, "\r\n")...))
	})
}

// twice reads a file two times, which must be the same, and returns what it
// holds where it is taken.
func twice(t *testing.T, f meterfile.Format, content string) []run {
	t.Helper()
	runs, err := readAs(t, f, "f", content)
	var refused *meterfile.Error
	if err != nil && (!errors.As(err, &refused) || refused.Line < 1 || refused.Field == "" || refused.Want == "" || refused.Got == "" || len(err.Error()) > 600) {
		t.Errorf("got error %#v, want a short one with file, line, field and what was expected", err)
	}
	again, errAgain := readAs(t, f, "f", content)
	if fmt.Sprint(runs, err) != fmt.Sprint(again, errAgain) {
		t.Errorf("read again: got %v %v, want %v %v", again, errAgain, runs, err)
	}
	if err != nil {
		return nil
	}
	return runs
}

// TestRealTelegrams: the checksums of the real telegrams are right, and a change
// of any digit of them is found.
func TestRealTelegrams(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(data(t, "dsmr"), "TELEGRAM_V5.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range content[:len(content)-6] {
		if c < '0' || c > '9' {
			continue
		}
		changed := slices.Clone(content)
		changed[i] = '0' + (c-'0'+1)%10
		if _, err := read(t, "f", string(changed)); err == nil {
			t.Fatalf("byte %d of the telegram changed from %c: got no error, want its checksum refused", i, c)
		}
	}
}
