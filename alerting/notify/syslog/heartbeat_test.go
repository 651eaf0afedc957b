package syslog

import (
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
)

func TestHeartbeatGolden(t *testing.T) {
	for name, h := range alertingtest.Heartbeats() {
		for network, limit := range map[string]int{TCP: maxStream, UDP: maxDatagram} {
			t.Run(name+" "+network, func(t *testing.T) {
				line := open(t, Options{Network: network, Address: "x:1"}).formatHeartbeat(h)
				if len(line) > limit {
					t.Errorf("it has %d bytes", len(line))
				}
				alertingtest.Golden(t, *rewrite, "testdata/"+name+"-"+network+".txt", []byte(line))
			})
		}
	}
}
