package meter

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clickhouse is ClickHouse. It acknowledges before anything is safe.
type clickhouse struct{}

func (clickhouse) name() string    { return "ClickHouse" }
func (clickhouse) program() string { return "clickhouse-server" }
func (clickhouse) health() string  { return "/ping" }

const clickhouseConfig = `<yandex>
	<logger><level>error</level><console>1</console></logger>
	<listen_host>127.0.0.1</listen_host><http_port>%d</http_port>
	<path>%s/</path><tmp_path>%[2]s/tmp/</tmp_path>
	<users_config>%[2]s/config.xml</users_config>
	<default_profile>default</default_profile><default_database>default</default_database>
	<mark_cache_size>268435456</mark_cache_size>
	<profiles><default></default></profiles><quotas><default></default></quotas>
	<users><default>
		<password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
	</default></users>
</yandex>
`

func (clickhouse) command(folder string, port int) ([]string, error) {
	file := filepath.Join(folder, "config.xml")
	return []string{"--config-file=" + file}, os.WriteFile(file, fmt.Appendf(nil, clickhouseConfig, port, folder), 0o600)
}

func (clickhouse) create(ctx context.Context, at *running) error {
	_, err := at.ask(ctx, "/", nil, []byte(`CREATE TABLE reading (ch UInt32, at UInt32, value Int32, quality UInt8) ENGINE = MergeTree ORDER BY (ch, at)`))
	return err
}

// clickhouseRow is the bytes of a row.
const clickhouseRow = 13

func (clickhouse) put(ctx context.Context, at *running, s *street, points, n int) error {
	var body []byte
	for point := range points {
		d := s.day(point, n)
		for i, v := range d.Values {
			body = binary.LittleEndian.AppendUint32(body, uint32(point))
			body = binary.LittleEndian.AppendUint32(body, uint32(d.At(i)))
			body = binary.LittleEndian.AppendUint32(body, uint32(v))
			body = append(body, byte(d.Quality[i]))
		}
	}
	_, err := at.ask(ctx, "/", url.Values{"query": {"INSERT INTO reading FORMAT RowBinary"}}, body)
	return err
}

func (clickhouse) read(ctx context.Context, at *running, point int, from, to int64) (int, error) {
	text, err := at.ask(ctx, "/", url.Values{"query": {fmt.Sprintf(
		"SELECT ch, at, value, quality FROM reading WHERE ch = %d AND at >= %d AND at < %d ORDER BY at FORMAT RowBinary", point, from, to)}}, nil)
	return len(text) / clickhouseRow, err
}

// weight is that of the parts that count, merged: those before them stay for some
// minutes.
func (clickhouse) weight(ctx context.Context, at *running) (int64, error) {
	if _, err := at.ask(ctx, "/", nil, []byte("OPTIMIZE TABLE reading FINAL")); err != nil {
		return 0, err
	}
	text, err := at.ask(ctx, "/", url.Values{"query": {"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'reading'"}}, nil)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
