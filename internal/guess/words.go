package guess

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
)

// words are what the names of a field's sources hold, the best first; those of other
// languages come after those of English. A name counts when one of its words is, or all
// its letters are, one of these.
var words = map[string][]string{
	"time": {"eventtime", "timestamp", "rt", "devtime", "time", "ts", "datetime", "occurred", "published", "created", "date", "at", "when", "logged", "start", "clock",
		"zeitstempel", "zeitpunkt", "datumuhrzeit", "zeit", "uhrzeit", "uzeit", "datum", "horodatage", "heure", "fechahora", "fecha", "hora", "dataora", "datahora", "ora", "data", "tijdstip", "tijd",
		"접속일시", "조회일시", "일시", "시간", "시각", "日時", "時刻", "时间", "日期"},
	"id": {"eventid", "uuid", "requestid", "insertid", "traceid", "logid", "externalid", "id"},
	"actor": {"actor", "username", "suser", "usrname", "user", "userid", "email", "principal", "login", "employee", "operator", "agentname", "who", "account",
		"enduser", "caller", "staff", "person", "displayname", "duser", "suid",
		"benutzername", "benutzer", "nutzer", "anwender", "mitarbeiter", "sachbearbeiter", "bearbeiter", "kennung", "utilisateur", "identifiant", "usuario", "usuário", "empleado", "utente", "operatore",
		"gebruiker", "medewerker", "użytkownik", "사용자id", "사용자", "취급자", "접속자", "직원", "ユーザー", "ユーザ", "利用者", "担当者", "用户名", "用户", "操作员"},
	"role":    {"role", "usertype", "group", "department", "team", "rolle", "gruppe", "abteilung", "rôle", "rol", "ruolo", "부서", "部署", "部门"},
	"key_id":  {"keyid", "kid", "accesskey", "apikey", "credential"},
	"session": {"sessionid", "session", "token", "sid", "jti", "sitzung", "sitzungsid"},
	"ip": {"clientip", "sourceip", "srcip", "src", "remoteaddr", "remoteip", "ipaddress", "callerip", "cip", "origh", "sourceips", "srcaddr", "ip", "forwarded", "addr", "address", "remote", "host",
		"ipadresse", "adresse", "adresseip", "direcciónip", "접속ip", "ipアドレス", "ip地址"},
	"client": {"useragent", "requestclientapplication", "agent", "clientapp", "application", "app", "client", "device", "program", "gerät", "anwendung", "programm"},
	"endpoint": {"endpoint", "operation", "path", "uri", "url", "route", "api", "request", "screen", "page", "resource", "method", "action", "deviceeventclassid",
		"maske", "seite", "formular", "transaktion", "화면", "메뉴", "画面"},
	"action": {"action", "act", "verb", "operation", "activity", "event", "eventname", "eventtype", "method", "type", "command", "deviceeventclassid", "name",
		"aktion", "vorgang", "tätigkeit", "aktivität", "zugriffsart", "zugriff", "ereignis", "opération", "acción", "accion", "operación", "azione", "ação", "actie",
		"수행업무", "작업", "행위", "업무", "操作", "処理"},
	"records": {"customerid", "customerno", "customer", "customers", "recordid", "record", "records", "clientid", "patientid", "patient", "memberid", "member",
		"contactid", "contact", "policyid", "accountid", "subjectid", "caseid", "documentid", "docid", "fileid", "objectid", "entityid", "resourceid", "recordids", "customerids", "resourcename",
		"kundennummer", "kundennr", "kundenid", "kunde", "kunden", "patientennummer", "patientennr", "vertragsnummer", "versichertennummer", "fallnummer", "akte",
		"numéroclient", "numeroclient", "idclient", "dossier", "idcliente", "cliente", "expediente", "codicecliente", "klantnummer", "klant",
		"고객번호", "고객id", "고객", "회원번호", "顧客番号", "顧客id", "顧客", "お客様番号", "会員番号", "客户编号", "客户号", "客户id", "客户"},
	"rows": {"rowcount", "rows", "numrows", "recordcount", "resultcount", "rowsread", "count", "cnt", "returned",
		"anzahl", "zeilen", "datensätze", "nombre", "cantidad", "registros", "aantal", "건수", "件数", "行数", "数量"},
}

// verbs are the words of actions, in the names that sources give them.
var verbs = []struct{ action, words string }{
	{"login", "login signin logon authenticate anmelden anmeldung connexion 로그인 ログイン 登录"},
	{"logout", "logout signout logoff abmelden abmeldung déconnexion 로그아웃 ログアウト 退出"},
	{"export", "export download print exportieren drucken exporter télécharger exportar descargar 다운로드 출력 내려받기 エクスポート ダウンロード 出力 导出 下载"},
	{"delete", "delete remove destroy purge drop löschen gelöscht supprimer suppression eliminar borrar 삭제 削除 删除"},
	{"update", "update edit modify create insert put post patch write upload change add set ändern geändert änderung bearbeiten anlegen speichern modifier modification modificar editar actualizar 수정 변경 등록 입력 更新 変更 登録 修改"},
	{"list", "list search query find scan browse suchen suche auflisten rechercher recherche buscar listar 검색 検索 搜索"},
	{"read", "read get view select show open access fetch viewed opened head preview lookup lesen gelesen anzeigen angezeigt ansicht öffnen consulter consultation lecture leer lectura consulta ver 조회 열람 参照 閲覧 照会 查看 查询 读取"},
}

// actionOf returns the action that a source's name for it means; "" if none is plain.
func actionOf(name string) string {
	if a, ok := event.ParseAction(name); ok {
		return a.String()
	}
	parts := append(split(name), letters(name))
	for _, v := range verbs {
		for w := range strings.FieldsSeq(v.words) {
			if slices.Contains(parts, w) {
				return v.action
			}
		}
	}
	return ""
}
