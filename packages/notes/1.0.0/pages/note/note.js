export default {
  data: { note: '' },

  change(event) {
    this.note = event.value
  },

  save() {
    getApp().data.notes.push(this.note)
    router.back()
  },
}
