{{/* The name of the release's objects. */}}
{{- define "weir.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels by which pods are selected; they never change. */}}
{{- define "weir.selector" -}}
app.kubernetes.io/name: weir
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of all objects. */}}
{{- define "weir.labels" -}}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "weir.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weir.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weir.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The configuration, which listens on all addresses unless it says otherwise. */}}
{{- define "weir.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $http := default dict $config.http -}}
{{- if not (hasKey $http "listen") -}}
{{- $_ := set $config "http" (merge (dict "listen" ":9464") $http) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The share of a memory limit that Go's heap may take; nothing without a limit. */}}
{{- define "weir.goMemory" -}}
{{- $limit := dig "limits" "memory" "" .resources | toString -}}
{{- if and .percent (regexMatch "^[0-9]+[MG]i$" $limit) -}}
{{- $mib := regexFind "^[0-9]+" $limit | int64 -}}
{{- if hasSuffix "Gi" $limit -}}{{- $mib = mul $mib 1024 -}}{{- end -}}
{{- printf "%dMiB" (div (mul $mib .percent) 100) -}}
{{- end -}}
{{- end -}}
