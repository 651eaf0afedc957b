package deployment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"reflect"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/kafka/task"
)

// runner says who runs this process, and whose file its settings are from: all that a
// process can know of who has changed them.
func runner(c *config.Config) map[string]string {
	name := fmt.Sprint("uid ", os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username + " (" + name + ")"
	}
	host, err := os.Hostname()
	if err != nil {
		host = "a host without name"
	}
	out := map[string]string{task.ByRunner: name + " on " + host, "not_known": "who wrote the settings"}
	if info, err := os.Stat(c.File()); err == nil {
		out["file"] = c.File() + ", written " + info.ModTime().UTC().Truncate(time.Second).Format(eventtime.Layout)
	}
	return out
}

// fingerprints returns for each secret of a configuration, by its place, what tells it from
// another and does not tell what it is: a keyed hash under the record key.
func fingerprints(c *config.Config, h event.Hasher) map[string]string {
	key, out := h.Derive("settings"), map[string]string{}
	var walk func(at string, v reflect.Value)
	walk = func(at string, v reflect.Value) {
		if s, ok := v.Interface().(config.Secret); ok {
			if s.IsSet() {
				mac := hmac.New(sha256.New, key[:])
				mac.Write([]byte(at + "\x00" + s.Reveal()))
				out[at] = hex.EncodeToString(mac.Sum(nil)[:8])
			}
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					walk(at+"."+f.Name, v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				name := fmt.Sprint(i)
				if item := v.Index(i); item.Kind() == reflect.Struct && item.FieldByName("Name").IsValid() {
					name = item.FieldByName("Name").String()
				}
				walk(at+"."+name, v.Index(i))
			}
		}
	}
	walk("config", reflect.ValueOf(*c))
	return out
}
